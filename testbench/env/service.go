package env

import (
	"errors"
	"fmt"
	"net"
	"sync"
)

// localService is a Service with where it listens.
type localService struct {
	Service
	addr string
}

// startService listens on loopback for a service of the device's host, unless another program does.
func (e *Env) startService(s Service) error {
	if s.Addr != "" {
		e.local = append(e.local, localService{s, s.Addr})
		return nil
	}
	addr, err := e.Listen(s.Handle)
	if err != nil {
		return fmt.Errorf("starting the device's service %q: %w", s.Name, err)
	}
	e.local = append(e.local, localService{s, addr})
	return nil
}

// Listen serves on a port of the device's host that no service of the agent leads to, until the environment ends. Each connection is closed after
// handle returns.
func (e *Env) Listen(handle func(net.Conn)) (addr string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	e.stops = append(e.stops, e.serve(l, handle))
	return l.Addr().String(), nil
}

// serve gives each connection to handle and closes it afterwards. stop closes the listener and every connection, and waits.
func (e *Env) serve(l net.Listener, handle func(net.Conn)) (stop func() error) {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex // guards conns
		conns = map[net.Conn]bool{}
	)
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed by stop
			}
			mu.Lock()
			conns[c] = true
			mu.Unlock()
			wg.Go(func() {
				handle(c)
				c.Close()
				mu.Lock()
				delete(conns, c)
				mu.Unlock()
			})
		}
	})
	return func() error {
		err := l.Close()
		mu.Lock()
		for c := range conns {
			if closeErr := c.Close(); !errors.Is(closeErr, net.ErrClosed) {
				err = errors.Join(err, closeErr)
			}
		}
		mu.Unlock()
		wg.Wait()
		return err
	}
}
