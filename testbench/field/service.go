package field

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"minato/relay/relayapi"
	"minato/testbench/access"
	"minato/testbench/check"
)

// target is one service while it is checked.
type target struct {
	Service
	check   *Check
	mapping *relayapi.PortMapping // set by makeMappings

	// Set by look before done is closed.
	story   *story
	said    string
	problem *access.Problem
	done    chan struct{}
}

// result is a step: the first one starts all services at once, so that one which is silent costs no more time than it must.
func (t *target) result(ctx context.Context, s *story) (string, *access.Problem) {
	for _, each := range t.check.targets {
		if each.done == nil {
			each.done, each.story = make(chan struct{}), newStory()
			t.check.services.Go(func() { each.look(ctx) }) // ends with ctx at the latest
		}
	}
	<-t.done
	s.began, s.log = t.story.began, t.story.lines()
	return t.said, t.problem
}

// reached tells whether the service was looked at and is well.
func (t *target) reached() bool { return t.done != nil && t.problem == nil }

// look connects, speaks, and moves packets of full size.
func (t *target) look(ctx context.Context) {
	defer close(t.done)
	began := time.Now()
	fail := func(at phase, err error) {
		t.story.logf("failed: %v", err)
		t.problem = t.check.why(ctx, t.mapping, at, err)
	}
	l, at, err := t.open(ctx)
	if err != nil {
		fail(at, err)
		return
	}
	t.story.logf("connected to %s in %s", t.mapping.Endpoint, time.Since(began).Round(time.Millisecond))
	said, took, err := l.exchange()
	l.close()
	if err != nil {
		fail(speaking, err)
		return
	}
	t.story.logf("%s, in %s", said, took.Round(time.Millisecond))
	t.said = fmt.Sprintf("%s (%s, option %s)", said, t.mapping.Endpoint, onOff(t.TLS))
	if t.large == nil {
		return
	}
	o := check.Options{Timeout: t.check.cfg.Patience}
	res, err := check.Funcs[t.large(&o)](ctx, t.dialChecked, o)
	var judged *check.Error
	fine := err == nil || errors.As(err, &judged) && answered(judged)
	for _, line := range res.Log {
		text := line.Text
		if fine { // an answer that package check wants otherwise is one
			text = strings.TrimPrefix(text, "failed: ")
		}
		t.story.logf("%s", text)
	}
	if !fine {
		fail(moving, err)
	}
}

// line is one connection that speaks a service's protocol.
type line struct {
	t    *target
	raw  net.Conn
	conn net.Conn
	in   *bufio.Reader
	stop func() bool
}

// open connects as the mapping's option and the protocol want it. The connection ends with ctx.
func (t *target) open(ctx context.Context) (*line, phase, error) {
	conn, at, err := t.check.dial(ctx, t.mapping, t.TLS, t.check.roots())
	if err != nil {
		return nil, at, err
	}
	raw := conn
	conn.SetDeadline(time.Now().Add(t.check.cfg.Patience)) // an error shows in the next call
	if t.Wrap {
		// The device's certificate is its own affair: most sign it themselves.
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
		if err := conn.(*tls.Conn).HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, speaking, fmt.Errorf("TLS with the device: %w", err)
		}
	}
	return &line{t, raw, conn, bufio.NewReader(conn), context.AfterFunc(ctx, func() { raw.Close() })}, speaking, nil
}

// exchange asks once; took is one round trip to the device.
func (l *line) exchange() (said string, took time.Duration, err error) {
	var began time.Time
	said, err = l.t.Protocol.exchange(l.conn, l.in, func() { began = time.Now() })
	if errors.Is(err, errClosing) {
		err = nil
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("the connection ended without an answer: %w", err)
	}
	return said, time.Since(began), err
}

func (l *line) close() {
	l.stop()
	l.raw.Close()
}

// dialChecked is the way in for package check, whose connections it closes itself.
func (t *target) dialChecked(ctx context.Context) (net.Conn, error) {
	l, _, err := t.open(ctx)
	if err != nil {
		return nil, err
	}
	l.stop()
	return l.conn, l.conn.SetDeadline(time.Time{})
}

// answered tells an answer that a check does not like from none: an exception of a Modbus server, a page that asks for a log-in.
func answered(e *check.Error) bool {
	var foreign net.Error
	return !errors.As(e.Err, &foreign) && !errors.Is(e.Err, io.EOF) && !errors.Is(e.Err, io.ErrUnexpectedEOF) && !errors.Is(e.Err, context.DeadlineExceeded)
}
