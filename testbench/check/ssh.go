package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// SSHOptions of "ssh". With no user only the banner and the host key are read.
type SSHOptions struct {
	User        string
	Password    string
	PrivateKey  []byte // PEM; tried before Password
	Fingerprint string // wanted host key, as ssh-keygen -l prints it (SHA256:...); "": any
	Command     string // to execute; "": none
	Contains    string // in the command's output
	Forward     string // HOST:PORT to open a direct-tcpip channel to; "": none
	ForwardWant string // what the far end says first, such as "RFB "; "": that it opens is enough
}

// maxSSHOutput bounds what a command may print.
const maxSSHOutput = 1 << 20

// SSH reads the banner and the host key, and with a user logs in, runs a command and opens a forwarded connection.
func SSH(ctx context.Context, dial Dial, o Options) (Result, error) {
	return run(ctx, "ssh", o, func(ctx context.Context, r *recorder) error {
		opts := o.SSH
		r.begin("connecting and logging in")
		client, err := DialSSH(ctx, dial, opts)
		if err != nil {
			return err
		}
		defer client.Close()
		r.logf("banner %s, host key %s", client.Banner, client.Fingerprint)
		summary := client.Banner
		if opts.Command != "" {
			r.begin(fmt.Sprintf("executing %q", opts.Command))
			output, err := client.Exec(ctx, opts.Command)
			if err != nil {
				return err
			}
			r.logf("output: %q", clip([]byte(output), 400))
			if !strings.Contains(output, opts.Contains) {
				return fmt.Errorf("the output does not contain %q; it begins %q", opts.Contains, clip([]byte(output), 80))
			}
			summary += ", command executed"
		}
		if opts.Forward != "" {
			r.begin(fmt.Sprintf("forwarding to %s", opts.Forward))
			if err := client.checkForward(opts.Forward, opts.ForwardWant); err != nil {
				return err
			}
			summary += ", forwarded to " + opts.Forward
		}
		r.summaryf("%s", summary)
		return nil
	})
}

// SSHClient is golang.org/x/crypto/ssh's client with what the handshake told. Close it. Client is nil where no user was given.
type SSHClient struct {
	*ssh.Client
	Banner      string // the server's version line, as SSH-2.0-OpenSSH_9.2
	Fingerprint string // of the host key, SHA256:...
}

// errSeenEnough ends a handshake whose host key is all that was wanted.
var errSeenEnough = errors.New("the host key is seen")

// DialSSH connects and logs in with what o says. The connection ends with ctx.
func DialSSH(ctx context.Context, dial Dial, o SSHOptions) (*SSHClient, error) {
	methods, err := sshMethods(o)
	if err != nil {
		return nil, err
	}
	raw, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	conn := &bannerConn{Conn: bindConn(ctx, raw)}
	c := new(SSHClient)
	client, channels, requests, err := ssh.NewClientConn(conn, raw.RemoteAddr().String(), &ssh.ClientConfig{
		User: o.User,
		Auth: methods,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			c.Fingerprint = ssh.FingerprintSHA256(key)
			if o.Fingerprint != "" && c.Fingerprint != o.Fingerprint {
				return hintf("the device was installed anew, or it is another device", "the host key is %s, and %s is wanted", c.Fingerprint, o.Fingerprint)
			}
			if o.User == "" {
				return errSeenEnough
			}
			return nil
		},
	})
	c.Banner = conn.banner()
	if err != nil {
		conn.Close()
		if errors.Is(err, errSeenEnough) {
			return c, nil
		}
		return nil, conn.explain(err)
	}
	c.Client = ssh.NewClient(client, channels, requests)
	return c, nil
}

// Close ends the connection.
func (c *SSHClient) Close() error {
	if c.Client == nil {
		return nil
	}
	return c.Client.Close()
}

func sshMethods(o SSHOptions) ([]ssh.AuthMethod, error) {
	var methods []ssh.AuthMethod
	if len(o.PrivateKey) > 0 {
		key, err := ssh.ParsePrivateKey(o.PrivateKey)
		if err != nil {
			return nil, fmt.Errorf("reading the private key: %w", err)
		}
		methods = append(methods, ssh.PublicKeys(key))
	}
	if o.Password != "" {
		methods = append(methods, ssh.Password(o.Password))
	}
	if o.User == "" && (o.Command != "" || o.Forward != "") {
		return nil, errors.New("a command or a forwarding needs a user")
	}
	return methods, nil
}

// Exec runs one command and gives what it printed on both outputs.
func (c *SSHClient) Exec(ctx context.Context, command string) (string, error) {
	if c.Client == nil {
		return "", errors.New("not logged in")
	}
	session, err := c.NewSession()
	if err != nil {
		return "", fmt.Errorf("opening a session: %w", err)
	}
	defer session.Close()
	defer context.AfterFunc(ctx, func() { session.Close() })()
	output := new(boundedOutput)
	session.Stdout, session.Stderr = output, output
	if err := session.Run(command); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return output.String(), fmt.Errorf("%w; it printed %q", err, clip([]byte(output.String()), 200))
	}
	return output.String(), nil
}

// checkForward opens a channel of type direct-tcpip (RFC 4254 section 7.2).
func (c *SSHClient) checkForward(address, want string) error {
	conn, err := c.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(conn, got); err != nil {
		return fmt.Errorf("after %q: %w", got[:n], err)
	}
	if string(got) != want {
		return fmt.Errorf("the far end says %q, and %q is wanted", got, want)
	}
	return nil
}

// bannerConn keeps the first bytes that came: the library does not tell the banner of a handshake that failed.
type bannerConn struct {
	net.Conn
	mu   sync.Mutex
	head []byte // guarded by mu
}

func (c *bannerConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	const enough = 1024 // RFC 4253 section 4.2 allows lines before the version
	c.head = append(c.head, p[:min(n, enough-len(c.head))]...)
	return n, err
}

func (c *bannerConn) banner() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for line := range bytes.Lines(c.head) {
		if bytes.HasPrefix(line, []byte("SSH-")) {
			return strings.TrimRight(string(line), "\r\n")
		}
	}
	return ""
}

func (c *bannerConn) explain(err error) error {
	if strings.Contains(err.Error(), "unable to authenticate") {
		return hintf("check the user, the password or key, and what the device allows", "the server is reached (%s), but the log-in was refused: %w", c.banner(), err)
	}
	if c.banner() != "" {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.head) == 0 {
		return fmt.Errorf("the server said nothing: %w", err)
	}
	return hintf(protocolHint(c.head), "the server says %q, which is no SSH version: %w", clip(c.head, 40), err)
}

// boundedOutput gathers both outputs of a command, which come on two goroutines; what is too much is dropped.
type boundedOutput struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (o *boundedOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(p[:min(len(p), maxSSHOutput-o.buf.Len())])
	return len(p), nil
}

func (o *boundedOutput) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
