package sshd

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"minato/targets/plc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newKey(t testing.TB) (gossh.Signer, string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := gossh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(gossh.MarshalAuthorizedKey(signer.PublicKey()))
}

// serve runs a server on loopback until the test ends.
func serve(t testing.TB, cfg Config) (*Server, string) {
	t.Helper()
	if cfg.Plant == nil {
		cfg.Plant = plc.New(plc.Config{})
	}
	cfg.Name = "plant"
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.authDelay = 0
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil on cancel", err)
		}
	})
	return s, l.Addr().String()
}

func dial(t testing.TB, s *Server, address, user string, auth ...gossh.AuthMethod) (*gossh.Client, error) {
	t.Helper()
	c, err := gossh.Dial("tcp", address, &gossh.ClientConfig{
		User: user, Auth: auth, HostKeyCallback: gossh.FixedHostKey(s.HostKey()), Timeout: 60 * time.Second,
	})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// login serves with one key and logs in with it.
func login(t testing.TB, cfg Config) *gossh.Client {
	t.Helper()
	signer, line := newKey(t)
	cfg.AuthorizedKeys = []string{line}
	s, address := serve(t, cfg)
	c, err := dial(t, s, address, "tech", gossh.PublicKeys(signer))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func session(t testing.TB, c *gossh.Client) *gossh.Session {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func exitStatus(err error) int {
	var exit *gossh.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitStatus()
	}
	return -1
}

func TestAuthentication(t *testing.T) {
	signer, line := newKey(t)
	stranger, _ := newKey(t)
	passwords := map[string]string{"tech": "sesame"}
	tests := []struct {
		name string
		cfg  Config
		user string
		auth gossh.AuthMethod
		want bool
	}{
		{"key", Config{AuthorizedKeys: []string{"# people", "", line}}, "anybody", gossh.PublicKeys(signer), true},
		{"other key", Config{AuthorizedKeys: []string{line}}, "tech", gossh.PublicKeys(stranger), false},
		{"password", Config{Passwords: passwords}, "tech", gossh.Password("sesame"), true},
		{"wrong password", Config{Passwords: passwords}, "tech", gossh.Password("sesame2"), false},
		{"wrong user", Config{Passwords: passwords}, "root", gossh.Password("sesame"), false},
		{"empty password of nobody", Config{Passwords: passwords}, "root", gossh.Password(""), false},
		{"nothing configured, key", Config{}, "tech", gossh.PublicKeys(signer), false},
		{"nothing configured, password", Config{}, "tech", gossh.Password(""), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, address := serve(t, tt.cfg)
			if _, err := dial(t, s, address, tt.user, tt.auth); (err == nil) != tt.want {
				t.Errorf("log-in: %v, want success %v", err, tt.want)
			}
		})
	}
	t.Run("no method at all", func(t *testing.T) {
		s, address := serve(t, Config{})
		if _, err := dial(t, s, address, "tech"); err == nil {
			t.Error("somebody got in without authentication")
		}
	})
}

func TestAuthTries(t *testing.T) {
	s, address := serve(t, Config{Passwords: map[string]string{"tech": "sesame"}})
	tries := 0
	_, err := dial(t, s, address, "tech", gossh.RetryableAuthMethod(gossh.PasswordCallback(func() (string, error) {
		tries++
		return fmt.Sprint("guess ", tries), nil
	}), 100))
	if err == nil || tries > maxAuthTries {
		t.Errorf("%d guesses, %v; want at most %d and no log-in", tries, err, maxAuthTries)
	}
}

func TestHandshakeTimeout(t *testing.T) {
	_, address := serve(t, Config{HandshakeTimeout: time.Millisecond})
	c, err := net.DialTimeout("tcp", address, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(60 * time.Second))
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a silent client was not cut off")
	}
}

func TestHostKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "host_key")
	first, err := NewServer(Config{HostKeyFile: file})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v, %v; want mode 0600", info, err)
	}
	second, err := NewServer(Config{HostKeyFile: file})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.HostKey().Marshal(), second.HostKey().Marshal()) {
		t.Error("the key changed with a restart")
	}
	if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

// TestHostKeyOfNoUse: whatever is wrong with the file, there is a way in, by a key in memory; and the file is left as it is.
func TestHostKeyOfNoUse(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		mode       os.FileMode
	}{{"others may read it", "", 0o644}, {"broken", "no key", 0o600}} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "host_key")
			first, err := NewServer(Config{HostKeyFile: file})
			if err != nil {
				t.Fatal(err)
			}
			if tt.text != "" {
				os.WriteFile(file, []byte(tt.text), 0o600)
			}
			os.Chmod(file, tt.mode)
			before, _ := os.ReadFile(file)
			var log bytes.Buffer
			second, err := NewServer(Config{HostKeyFile: file, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(first.HostKey().Marshal(), second.HostKey().Marshal()) {
				t.Error("the key was taken")
			}
			if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
				t.Error("the file was replaced")
			}
			if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), file) {
				t.Errorf("%d warnings:\n%s", n, &log)
			}
		})
	}
}

// TestHostKeyLater: a folder that comes later gets the key that clients know by then, or gives the one that it has.
func TestHostKeyLater(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mounted later")
	file := filepath.Join(dir, "host_key")
	s, address := serve(t, Config{HostKeyFile: file})
	known := s.HostKey()
	other, err := NewServer(Config{HostKeyFile: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _, _, err = gossh.NewClientConn(c, address, &gossh.ClientConfig{HostKeyCallback: gossh.FixedHostKey(known)})
	if err == nil || strings.Contains(err.Error(), "host key mismatch") {
		t.Errorf("the client says %v", err)
	}
	if kept, err := readHostKey(file); err != nil || !bytes.Equal(kept.PublicKey().Marshal(), known.Marshal()) {
		t.Errorf("the file has another key: %v", err)
	}
	if !bytes.Equal(other.HostKey().Marshal(), known.Marshal()) {
		t.Error("the file's key is not taken")
	}
}

func TestConfigRefusals(t *testing.T) {
	_, line := newKey(t)
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"broken key", Config{AuthorizedKeys: []string{"# fine", "ssh-ed25519 AAAA"}}, "line 2"},
		{"key with options", Config{AuthorizedKeys: []string{`command="true" ` + line}}, "options are not supported"},
		{"empty password", Config{Passwords: map[string]string{"tech": ""}}, `user "tech"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewServer(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestForeignRequests: what is not offered is refused, and the session goes on.
func TestForeignRequests(t *testing.T) {
	c := login(t, Config{})
	if _, err := c.Listen("tcp", "127.0.0.1:0"); err == nil {
		t.Error("reverse forwarding was granted")
	}
	s := session(t, c)
	if err := agent.RequestAgentForwarding(s); err == nil {
		t.Error("agent forwarding was granted")
	}
	if ok, _ := s.SendRequest("x11-req", true, nil); ok {
		t.Error("X11 forwarding was granted")
	}
	if err := s.Setenv("LD_PRELOAD", "x"); err == nil {
		t.Error("an environment variable was taken")
	}
	if err := s.RequestSubsystem("netconf"); err == nil {
		t.Error("netconf was granted")
	}
	if _, _, err := c.OpenChannel("x11", nil); err == nil {
		t.Error("an X11 channel was opened")
	}
	for range 20 {
		if err := s.WindowChange(40, 100); err != nil {
			t.Error(err)
		}
	}
	if out, err := s.Output("echo still here"); err != nil || string(out) != "still here\n" {
		t.Errorf("echo = %q, %v", out, err)
	}
}

func TestChannelLimit(t *testing.T) {
	c := login(t, Config{})
	for range maxChannels {
		session(t, c)
	}
	if _, err := c.NewSession(); err == nil || !strings.Contains(err.Error(), "too many channels") {
		t.Errorf("channel %d: %v", maxChannels+1, err)
	}
}
