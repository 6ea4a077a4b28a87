package unattended

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/net/proxy"

	"minato/emulator"
	"minato/emulator/core"
	"minato/testbench/check"
	"minato/testbench/env"
)

const vncPassword = "minato-8"

// startEmulator runs an emulator in this process until the test ends.
func startEmulator(t testing.TB, cfg emulator.Config) *emulator.Emulator {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = shortDir(t)
	}
	e, stop, err := emulator.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("emulator: %v", err)
		}
	})
	return e
}

// shortDir is a directory whose name leaves room for a socket in it: sun_path has 108 octets.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "unattended")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// through dials a port of modem n's SIM by the network's door, as the relay does.
func through(e *emulator.Emulator, n, port int) check.Dial {
	to := fmt.Sprintf("%s.sim:%d", core.DefaultSubscriber(n).SIMID, port)
	return func(ctx context.Context) (net.Conn, error) {
		d, err := proxy.SOCKS5("tcp", e.SOCKSAddr(), nil, proxy.Direct)
		if err != nil {
			return nil, err
		}
		return d.(proxy.ContextDialer).DialContext(ctx, "tcp", to)
	}
}

// view logs in to the device's screen and takes it, through the link.
func view(ctx context.Context, e *emulator.Emulator, n int) error {
	c, err := check.DialVNC(ctx, through(e, n, 5900), check.VNCOptions{Password: vncPassword})
	if err == nil {
		c.Close()
	}
	return err
}

// awaitView is view until it succeeds.
func awaitView(ctx context.Context, e *emulator.Emulator, n int) error {
	return env.Await(ctx, "the device's screen", func() (bool, error) {
		err := view(ctx, e, n)
		return err == nil, err
	})
}

// newestPort is a port of a modem under the name that it has now.
func newestPort(dir, name string) string {
	for _, suffix := range []string{"-1", ""} {
		if path := filepath.Join(dir, name+suffix); exists(path) {
			return path
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
