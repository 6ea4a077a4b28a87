package check

import (
	"context"
	"image"

	"github.com/grid-x/modbus"
	"golang.org/x/crypto/ssh"
)

func HTTP(ctx context.Context, dial Dial, o Options) (Result, error)      { panic("stub") }
func Modbus(ctx context.Context, dial Dial, o Options) (Result, error)    { panic("stub") }
func VNC(ctx context.Context, dial Dial, o Options) (Result, error)       { panic("stub") }
func SSH(ctx context.Context, dial Dial, o Options) (Result, error)       { panic("stub") }
func RDP(ctx context.Context, dial Dial, o Options) (Result, error)       { panic("stub") }
func Bulk(ctx context.Context, dial Dial, o Options) (Result, error)      { panic("stub") }
func HalfClose(ctx context.Context, dial Dial, o Options) (Result, error) { panic("stub") }

// ModbusClient is grid-x/modbus's client on one connection of ours, which ctx bounds. Close it.
type ModbusClient struct{ modbus.Client }

// DialModbus connects and makes a client. It ends with ctx.
func DialModbus(ctx context.Context, dial Dial, unitID byte) (*ModbusClient, error) { panic("stub") }
func (c *ModbusClient) Close() error                                                { panic("stub") }

// VNCClient is a VNC session with the screen that it saw. Close it.
type VNCClient struct{}

// DialVNC connects, logs in and takes the first full screen. It ends with ctx.
func DialVNC(ctx context.Context, dial Dial, o VNCOptions) (*VNCClient, error) { panic("stub") }

// Name is the desktop's, Bounds its size.
func (c *VNCClient) Name() string            { panic("stub") }
func (c *VNCClient) Bounds() image.Rectangle { panic("stub") }

// Screen is a copy of the last screen.
func (c *VNCClient) Screen() *image.RGBA { panic("stub") }

// Type sends each rune as key down and key up; "\n" is Return, "\t" Tab, "\b" BackSpace.
func (c *VNCClient) Type(ctx context.Context, text string) error { panic("stub") }

// AwaitChange waits until the screen differs from before and gives the new one.
func (c *VNCClient) AwaitChange(ctx context.Context, before *image.RGBA) (*image.RGBA, error) {
	panic("stub")
}

// Close ends the session and waits for its goroutine.
func (c *VNCClient) Close() error { panic("stub") }

// DialSSH connects and logs in with what o says. It ends with ctx.
func DialSSH(ctx context.Context, dial Dial, o SSHOptions) (*SSHClient, error) { panic("stub") }

// SSHClient is golang.org/x/crypto/ssh's client with what the handshake told. Close it.
type SSHClient struct {
	*ssh.Client
	Banner      string // the server's version line, as SSH-2.0-OpenSSH_9.2
	Fingerprint string // of the host key, SHA256:...
}

// Exec runs one command and gives what it printed on both outputs.
func (c *SSHClient) Exec(ctx context.Context, command string) (string, error) { panic("stub") }
