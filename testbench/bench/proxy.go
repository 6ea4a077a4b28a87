//go:build linux

package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"minato/testbench/env"
)

// startTimeout bounds a proxy's start, stopTimeout its end.
const (
	startTimeout = 20 * time.Second
	stopTimeout  = 20 * time.Second
)

// A proxy is a peer that runs.
type proxy struct {
	*peer
	cmd    *exec.Cmd
	stderr bytes.Buffer // read only after done is closed
	done   chan struct{}
	tls    string // address on which TLS is ended
	plain  string // address on which bytes pass; "": none
}

// start starts a peer's process and waits until it relays.
func (s *stand) start(ctx context.Context, p *peer) (*proxy, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if p.debian == "" {
		return s.startRelay(ctx, p)
	}
	x := &proxy{peer: p}
	values := map[string]string{}
	for name, addr := range map[string]*string{"TLS": &x.tls, "PLAIN": &x.plain} {
		var err error
		if *addr, err = env.FreePort(); err != nil {
			return nil, err
		}
		_, values[name], _ = net.SplitHostPort(*addr)
	}
	config, err := s.writeConfig(p, values)
	if err != nil {
		return nil, err
	}
	if err := x.run(config, nil); err != nil {
		return nil, err
	}
	return x, x.orStop(x.await(ctx, s))
}

// run starts the process, with as many descriptors as it may have.
func (x *proxy) run(config string, stdout *os.File) error {
	sh := []string{"-c", `ulimit -n "$(ulimit -Hn)"; exec "$@"`, "sh", x.path}
	x.cmd = exec.Command("/bin/sh", append(sh, x.args(config)...)...)
	x.cmd.Stderr = &x.stderr
	if stdout != nil {
		x.cmd.Stdout = stdout
	}
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := x.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", x.name, err)
	}
	x.done = make(chan struct{})
	go func() { x.cmd.Wait(); close(x.done) }() // ends with the process
	return nil
}

// orStop ends the process where starting it failed.
func (x *proxy) orStop(err error) error {
	if err != nil {
		x.cmd.Process.Kill()
		<-x.done
		return fmt.Errorf("starting %s: %w; it said: %s", x.name, err, bytes.TrimSpace(x.stderr.Bytes()))
	}
	return nil
}

// await connects until the proxy relays an echo.
func (x *proxy) await(ctx context.Context, s *stand) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	return env.Await(ctx, x.name, func() (bool, error) {
		select {
		case <-x.done:
			cancel(fmt.Errorf("it ended: %v", x.cmd.ProcessState))
			return false, nil
		default:
		}
		c, err := s.dialTLS(ctx, x.tls, x25519)
		if err != nil {
			return false, nil // not yet
		}
		defer c.Close()
		if err := echoOnce(c); err != nil {
			return false, nil
		}
		return true, nil
	})
}

// stop asks the process to end and waits for it.
func (x *proxy) stop() error {
	x.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-x.done:
		return nil
	case <-time.After(stopTimeout):
		x.cmd.Process.Kill()
		<-x.done
		return errors.New(x.name + " did not end when it was asked to")
	}
}

// pids are the processes of the proxy: itself and its workers.
func (x *proxy) pids() ([]int, error) {
	pids := []int{x.cmd.Process.Pid}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pids[0]))
	if err != nil {
		return nil, err
	}
	for _, field := range bytes.Fields(b) {
		var pid int
		if _, err := fmt.Sscan(string(field), &pid); err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}
