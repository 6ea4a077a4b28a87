package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"minato/relay/recognize"
)

// dialDevice connects to a port of a SIM's device.
func (r *Relay) dialDevice(ctx context.Context, simID string, port uint16) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.DialTimeout)
	defer cancel()
	began := time.Now()
	conn, err := r.cfg.Network.DialSIM(ctx, simID, port)
	switch over := ctx.Err(); {
	case err == nil, over == nil:
	case !errors.Is(over, context.DeadlineExceeded): // whatever the network made of it: whoever wanted the device has gone
		err = errors.Join(over, err)
	case !errors.Is(err, ErrNetwork) && !errors.Is(err, ErrDirectory): // else the device was not asked
		err = errors.Join(ErrTimeout, err)
	}
	r.metrics.dialled(time.Since(began), err)
	r.reach.note(r.cfg.Clock.Now(), simID, err)
	if err == nil {
		setUserTimeout(conn, r.cfg.StallTimeout)
	}
	return conn, err
}

// readBanner reads what a device says by itself: nothing, if it waits for the client. An error tells that the device ended the connection.
func readBanner(ctx context.Context, conn net.Conn) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	conn.SetReadDeadline(time.Now().Add(probeTimeout)) // an error shows in Read
	defer conn.SetReadDeadline(time.Time{})
	b := make([]byte, 0, 512)
	for len(b) < cap(b) {
		n, err := conn.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if _, more := recognize.FromServer(b); n > 0 && !more {
			return b, nil
		}
		if err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				err = nil
			} else if len(b) > 0 && errors.Is(err, io.EOF) {
				err = nil
			}
			return b, err
		}
	}
	return b, nil
}
