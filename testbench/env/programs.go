package env

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// startEmulatorProgram runs minato-emulator.
func (e *Env) startEmulatorProgram(ctx context.Context) error {
	program, err := e.Program("minato-emulator")
	if err != nil {
		return err
	}
	for _, address := range []*string{&e.Address.Control, &e.Address.SOCKS} {
		if *address, err = FreePort(); err != nil {
			return err
		}
	}
	dir := filepath.Join(e.Dir, "ports")
	err = e.startProgram(func(ctx context.Context) *exec.Cmd {
		return e.Command(ctx, program, "run", "--dir", dir, "--control", e.Address.Control, "--socks", e.Address.SOCKS)
	})
	if err != nil {
		return err
	}
	e.Address.AT, e.Address.PPP = filepath.Join(dir, "modem0", "at"), filepath.Join(dir, "modem0", "ppp")
	return e.awaitEmulator(ctx)
}

// startRelayProgram runs minato-relay, and takes its key from what it prints.
func (e *Env) startRelayProgram(ctx context.Context) error {
	program, err := e.Program("minato-relay")
	if err != nil {
		return err
	}
	if e.Address.API, err = FreePort(); err != nil {
		return err
	}
	conf := filepath.Join(e.Dir, "relay.yaml")
	text := fmt.Sprintf("api: {listen: %q}\nmappings: {listen: 127.0.0.1}\nnetwork: {socks: %q}\ndevices: {emulator: %q}\nstate: relay\ntimeouts: {drain: 0s}\n",
		e.Address.API, e.Address.SOCKS, "http://"+e.Address.Control)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return err
	}
	_, stateErr := os.Stat(filepath.Join(e.Dir, "relay"))
	out := &sharedBuffer{}
	err = e.startProgram(func(ctx context.Context) *exec.Cmd {
		cmd := e.Command(ctx, program, "run", "-c", conf)
		cmd.Stdout = out
		return cmd
	})
	if err != nil {
		return err
	}
	ctx, stop := e.Context(ctx)
	defer stop()
	err = Await(ctx, "the relay's API", func() (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.Address.API+"/v1/health", nil)
		if err != nil {
			return false, err
		}
		req.Close = true
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode == http.StatusOK, err
	})
	if err != nil {
		return err
	}
	if stateErr == nil { // an earlier start on this directory printed the key
		return e.keepKey()
	}
	// It has printed the key before its API answers, but what it printed passes through a pipe.
	err = Await(ctx, "the relay's key", func() (bool, error) {
		for line := range strings.Lines(out.String()) {
			name, value, _ := strings.Cut(line, ":")
			if !strings.HasSuffix(value, "\n") {
				continue
			}
			switch strings.TrimSpace(name) {
			case "authKeyId":
				e.key.ID = strings.TrimSpace(value)
			case "authKey":
				e.key.Secret = strings.TrimSpace(value)
			}
		}
		return e.key.Secret != "", nil
	})
	if err != nil {
		return err
	}
	return e.keepKey()
}

// sharedBuffer is a buffer that one goroutine writes and another reads.
type sharedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (s *sharedBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *sharedBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
