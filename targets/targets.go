// Package targets are the sample services of a device: a plant's page (HTTP), its registers (Modbus/TCP), its panel (VNC) and a
// shell (SSH). They stand on any listener: the agent's userspace network, or the host's own.
package targets

import (
	"context"
	"log/slog"
	"net"

	"minato/targets/panel"
)

// Service serves a protocol on a listener. Serve may be called again with another listener after it returned (the link came
// back with another address), and on several at once. It returns nil when ctx ends, and then has closed l and every connection.
type Service interface {
	Serve(ctx context.Context, l net.Listener) error
}

// Config of the set. The zero value serves everything but SSH log-ins (no key, no password: nobody gets in).
type Config struct {
	Logger *slog.Logger // nil: silent

	Name        string // of the device, shown on the page and the screen; "": minato
	VNCPassword string // at most 8 bytes; "": security type None
	SSH         SSHConfig
	Signal      func() panel.Signal // of the modem, shown on the screen; nil: there is no modem
	HTTPS       bool                // also offer service "https", with a self-signed certificate made at start
	// Dial reaches the device's own listed services for SSH port forwarding ("127.0.0.1:5900" or "localhost:5900" asked by ssh -L); port is the service's port.
	// nil: forwarding is refused. An error that is os.ErrPermission says that the port is not listed.
	Dial func(ctx context.Context, port uint16) (net.Conn, error)
}

// SSHConfig says who may log in.
type SSHConfig struct {
	HostKeyFile    string            // ed25519, OpenSSH PEM; made with mode 0600 when absent; "", or one that cannot be used: a new key in memory
	AuthorizedKeys []string          // lines of an authorized_keys file
	Passwords      map[string]string // user to password; empty: no password log-in
	Shell          string            // program that a log-in runs, as the user of this process; "": the sample commands
}
