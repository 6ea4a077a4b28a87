package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/crypto/ssh"
)

// serveSSH speaks SSH to the device for a terminal in the browser. What the user gives to log in is in memory only, and forgotten with the handshake.
//
//	browser: {"user", "password", "privateKey", "passphrase", "cols", "rows"}
//	console: connected; {"type": "hostkey", "algorithm", "fingerprint", "known"} where the key is not the pinned one; browser: {"accept": true}
//	console: {"type": "ready"}; then binary both ways, and from the browser {"cols", "rows"}; at the end {"type": "exit", "status"}
func (c *Console) serveSSH(ctx context.Context, s *socket) error {
	var login sshLogin
	if err := s.hear(ctx, &login); err != nil {
		return err
	}
	auth, err := login.methods()
	if err != nil {
		return &Refusal{Code: "ssh-key", Message: err.Error()}
	}
	device, err := c.dial(ctx, s)
	if err != nil {
		return err
	}
	defer device.Close()
	stop := context.AfterFunc(ctx, func() { device.Close() })
	defer stop()
	hostKey := hostKeyCheck{c.cfg.HostKeys, s, device.SIMID}
	device.SetDeadline(time.Now().Add(loginTimeout)) // an error shows in the handshake
	conn, channels, requests, err := ssh.NewClientConn(device, s.mapping.String(), &ssh.ClientConfig{
		User: login.User, Auth: auth,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error { return hostKey.judge(ctx, key) },
	})
	if err != nil {
		return login.explain(err)
	}
	device.SetDeadline(time.Time{})
	client := ssh.NewClient(conn, channels, requests)
	defer client.Close()
	return terminal(ctx, s, client, login.size)
}

// loginTimeout bounds the handshake with the user's reading of the host key in it: as long as sshd's LoginGraceTime.
const loginTimeout = 2 * time.Minute

// size of a terminal in characters.
type size struct {
	Cols int `json:"cols"`
	Rows int `json:"rows"`
}

func (z size) bounded() size {
	return size{min(max(z.Cols, 1), 1000), min(max(z.Rows, 1), 1000)}
}

// sshLogin is the browser's first message.
type sshLogin struct {
	User       string `json:"user"`
	Password   string `json:"password"`
	PrivateKey string `json:"privateKey"` // PEM or OpenSSH
	Passphrase string `json:"passphrase"`
	size
}

// methods are the ways to authenticate that the login has something for (RFC 4252, RFC 4256).
func (l *sshLogin) methods() ([]ssh.AuthMethod, error) {
	var list []ssh.AuthMethod
	if l.PrivateKey != "" {
		var signer ssh.Signer
		var err error
		if l.Passphrase != "" {
			signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(l.PrivateKey), []byte(l.Passphrase))
		} else {
			signer, err = ssh.ParsePrivateKey([]byte(l.PrivateKey))
		}
		if err != nil {
			return nil, fmt.Errorf("the private key cannot be read: %w", err)
		}
		list = append(list, ssh.PublicKeys(signer))
	}
	if l.Password != "" {
		list = append(list, ssh.Password(l.Password), ssh.KeyboardInteractive(
			func(_, _ string, questions []string, _ []bool) ([]string, error) {
				answers := make([]string, len(questions))
				for i := range answers {
					answers[i] = l.Password
				}
				return answers, nil
			}))
	}
	return list, nil
}

// explain puts a failed handshake into a code, as explainSSH does. Where the device asked for nothing that the login has, that is what to mend.
func (l *sshLogin) explain(err error) error {
	err = explainSSH(err)
	var r *Refusal
	if !errors.As(err, &r) || !strings.Contains(r.Detail, "attempted methods [none]") {
		return err
	}
	switch {
	case l.Password == "" && l.PrivateKey == "":
		r.Code, r.Message = "ssh-nothing", "the device takes nobody without a password or key"
	case l.PrivateKey == "":
		r.Code, r.Message = "ssh-keys-only", "the device takes no password: it wants a key"
	case l.Password == "":
		r.Code, r.Message = "ssh-no-keys", "the device takes no key: it wants a password"
	}
	return r
}

// errHostKey ends a handshake whose host key the user did not accept.
var errHostKey = errors.New("the device's host key was not accepted")

// explainSSH puts a failed handshake into a code that the pages have words for.
func explainSSH(err error) error {
	switch text := err.Error(); {
	case errors.Is(err, errHostKey):
		return &Refusal{Code: "ssh-host-key", Message: errHostKey.Error()}
	case strings.Contains(text, "unable to authenticate"):
		return &Refusal{Code: "ssh-auth", Message: "the device did not accept the user name, password or key", Detail: text}
	default:
		return &Refusal{Code: "ssh", Message: "the device's answer is not SSH, or it ended the connection", Detail: text}
	}
}

// terminal runs a shell on the device until one side ends it.
func terminal(ctx context.Context, s *socket, client *ssh.Client, z size) error {
	session, err := client.NewSession()
	if err != nil {
		return explainSSH(err)
	}
	defer session.Close()
	z = z.bounded()
	if err := session.RequestPty("xterm-256color", z.Rows, z.Cols, ssh.TerminalModes{}); err != nil {
		return explainSSH(err)
	}
	output := &shellOutput{deviceOutput{ctx, s}, make(chan struct{})}
	session.Stdout, session.Stderr = output, output
	input, err := session.StdinPipe()
	if err == nil {
		err = session.Shell()
	}
	if err != nil {
		return explainSSH(err)
	}
	if err := s.tell(ctx, "ready", struct{}{}); err != nil {
		return err
	}
	close(output.ready)
	reading, stopReading := context.WithCancel(ctx)
	var typing sync.WaitGroup
	typing.Go(func() { // ends when the browser leaves, or with the shell below
		s.typed(reading, session, input)
		client.Close()
	})
	err = session.Wait()
	var status *ssh.ExitError
	exit := 0
	if errors.As(err, &status) {
		exit, err = status.ExitStatus(), nil
	}
	if err == nil {
		s.tell(ctx, "exit", map[string]int{"status": exit}) // an error means that the browser has gone
	}
	s.Close(websocket.StatusNormalClosure, "")
	stopReading()
	typing.Wait()
	return nil
}

// typed passes on what the browser types, and the sizes of its window.
func (s *socket) typed(ctx context.Context, session *ssh.Session, input io.Writer) {
	for {
		m, err := s.next(ctx)
		if err != nil {
			return
		}
		if m.kind == websocket.MessageBinary {
			if _, err := input.Write(m.body); err != nil {
				return
			}
			continue
		}
		var z size
		if json.Unmarshal(m.body, &z) != nil {
			return
		}
		z = z.bounded()
		session.WindowChange(z.Rows, z.Cols) // an error shows in the next write
	}
}

// shellOutput is written by two streams of a session in turn. A shell may speak before the browser knows that it is there: that waits.
type shellOutput struct {
	deviceOutput
	ready chan struct{} // closed when the browser is told
}

func (w *shellOutput) Write(p []byte) (int, error) {
	select {
	case <-w.ready:
		return w.deviceOutput.Write(p)
	case <-w.ctx.Done():
		return 0, w.ctx.Err()
	}
}
