package check

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// sshServer plays a device: user pi, password "secret" or one key, commands echo and fail, and direct-tcpip to anything but port 1.
type sshServer struct {
	dial        Dial
	fingerprint string
	key         []byte // PEM that may log in
}

func newSSHServer(t *testing.T) *sshServer {
	t.Helper()
	host, _ := newSSHKey(t)
	user, private := newSSHKey(t)
	conf := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-Device_1.0",
		PasswordCallback: func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if c.User() == "pi" && string(password) == "secret" {
				return nil, nil
			}
			return nil, fmt.Errorf("no")
		},
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if string(key.Marshal()) == string(user.PublicKey().Marshal()) {
				return nil, nil
			}
			return nil, fmt.Errorf("no")
		},
	}
	conf.AddHostKey(host)
	dial := serve(t, func(raw *net.TCPConn) {
		conn, channels, requests, err := ssh.NewServerConn(raw, conf)
		if err != nil {
			return
		}
		defer conn.Close()
		done := make(chan struct{})
		go func() { ssh.DiscardRequests(requests); close(done) }()
		for c := range channels {
			serveSSHChannel(c)
		}
		<-done
	})
	return &sshServer{dial, ssh.FingerprintSHA256(host.PublicKey()), private}
}

func newSSHKey(t *testing.T) (ssh.Signer, []byte) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

func serveSSHChannel(c ssh.NewChannel) {
	if c.ChannelType() == "direct-tcpip" {
		if strings.Contains(string(c.ExtraData()), "closed.example") {
			c.Reject(ssh.Prohibited, "not listed")
			return
		}
		if channel, requests, err := c.Accept(); err == nil {
			io.WriteString(channel, "RFB 003.008\n")
			channel.Close()
			ssh.DiscardRequests(requests)
		}
		return
	}
	channel, requests, err := c.Accept()
	if err != nil {
		return
	}
	for r := range requests {
		var command struct{ Text string }
		ok := r.Type == "exec" && ssh.Unmarshal(r.Payload, &command) == nil
		r.Reply(ok, nil)
		if !ok {
			continue
		}
		status := struct{ Status uint32 }{0}
		if command.Text == "fail" {
			io.WriteString(channel.Stderr(), "no such thing")
			status.Status = 3
		} else {
			io.WriteString(channel, command.Text)
		}
		channel.SendRequest("exit-status", false, ssh.Marshal(status))
		channel.Close()
	}
}

func TestSSH(t *testing.T) {
	s := newSSHServer(t)
	passes(t, "ssh", s.dial, Options{}, "SSH-2.0-Device_1.0")
	passes(t, "ssh", s.dial, Options{SSH: SSHOptions{
		User: "pi", Password: "secret", Fingerprint: s.fingerprint, Command: "uname", Contains: "uname", Forward: "localhost:5900", ForwardWant: "RFB ",
	}}, "SSH-2.0-Device_1.0, command executed, forwarded to localhost:5900")
	passes(t, "ssh", s.dial, Options{SSH: SSHOptions{User: "pi", PrivateKey: s.key}}, "SSH-2.0-Device_1.0")
}

func TestSSHErrors(t *testing.T) {
	s := newSSHServer(t)
	const login = "connecting and logging in"
	user := SSHOptions{User: "pi", Password: "secret"}
	with := func(edit func(*SSHOptions)) Options {
		o := user
		edit(&o)
		return Options{SSH: o}
	}
	fails(t, "ssh", s.dial, with(func(o *SSHOptions) { o.Password = "wrong" }), login, "the server is reached (SSH-2.0-Device_1.0), but the log-in was refused", "password")
	fails(t, "ssh", s.dial, with(func(o *SSHOptions) { o.Fingerprint = "SHA256:abc" }), login, "the host key is "+s.fingerprint+", and SHA256:abc is wanted", "another device")
	fails(t, "ssh", s.dial, with(func(o *SSHOptions) { o.Command = "fail" }), `executing "fail"`, `status 3; it printed "no such thing"`, "")
	fails(t, "ssh", s.dial, with(func(o *SSHOptions) { o.Command, o.Contains = "x", "y" }), `executing "x"`, `does not contain "y"`, "")
	fails(t, "ssh", s.dial, with(func(o *SSHOptions) { o.Forward = "closed.example:1" }), "forwarding to closed.example:1", "not listed", "")
	fails(t, "ssh", s.dial, with(func(o *SSHOptions) { o.Forward, o.ForwardWant = "x:1", "SSH-" }), "forwarding to x:1", `the far end says "RFB ", and "SSH-" is wanted`, "")
	fails(t, "ssh", s.dial, with(func(o *SSHOptions) { o.PrivateKey = []byte("x") }), login, "reading the private key", "")
	fails(t, "ssh", s.dial, Options{SSH: SSHOptions{Command: "x"}}, login, "needs a user", "")
	fails(t, "ssh", says(t, "RFB 003.008\n"+strings.Repeat("x", 300)), Options{}, login, "which is no SSH version", "VNC server")
}

func TestDialSSHWithoutUser(t *testing.T) {
	s := newSSHServer(t)
	client, err := DialSSH(context.Background(), s.dial, SSHOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if client.Banner != "SSH-2.0-Device_1.0" || client.Fingerprint != s.fingerprint || client.Client != nil {
		t.Errorf("%+v", client)
	}
	if _, err := client.Exec(context.Background(), "x"); err == nil {
		t.Error("a command ran without log-in")
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}
