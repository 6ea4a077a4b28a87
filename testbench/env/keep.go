package env

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// KeepImage writes a picture beside the captures.
func (e *Env) KeepImage(name string, m image.Image) error {
	f, err := os.Create(filepath.Join(e.Dir, name))
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, m), f.Close())
}

// AfterCapture runs a check of the internet side's capture once the environment has ended and the capture is whole.
func (e *Env) AfterCapture(check func() error) { e.afterCapture = append(e.afterCapture, check) }

// CheckCapture runs the checks that AfterCapture kept; call it after Close.
func (e *Env) CheckCapture() error {
	var err error
	for _, check := range e.afterCapture {
		err = errors.Join(err, check())
	}
	return err
}

// While runs a program beside a step: run must last until the step is over, and then ends because its context does.
func (e *Env) While(ctx context.Context, run, step func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(context.Canceled)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := run(ctx); ctx.Err() == nil {
			cancel(fmt.Errorf("the program beside this step ended early: %v", err))
		}
	}()
	err := step(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w (%w)", err, cause)
	}
	cancel(context.Canceled)
	<-done
	return err
}

// Ports for programs are chosen from the last ones: neither Linux, for a socket that asks for any port (ip_local_port_range ends at
// 60999), nor a relay, for a mapping, gives them away before the program has begun.
const firstPort, portCount = 61000, 65536 - 61000

// portTries bounds the search for a port that nobody uses.
const portTries = 100

// givenPorts are UDP sockets on the ports that were given: the sign, to other processes too, that somebody is about to use the TCP port.
var givenPorts struct {
	mu    sync.Mutex
	signs []net.PacketConn // guarded by mu; open until this process ends
}

// FreePort gives a loopback address on which nothing listens now, for a program that has to be told its port. No port is given twice, also where
// several tests' processes ask, before its program has begun.
func FreePort() (string, error) {
	var err error
	for range portTries {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(portCount))
		var sign net.PacketConn
		if sign, err = net.ListenPacket("udp", address); err != nil {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", address); err != nil {
			sign.Close()
			continue
		}
		givenPorts.mu.Lock()
		givenPorts.signs = append(givenPorts.signs, sign)
		givenPorts.mu.Unlock()
		return address, l.Close()
	}
	return "", fmt.Errorf("looking for a free port: %w", err)
}
