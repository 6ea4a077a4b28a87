package agent

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"time"

	"minato/agent/tty"
	"minato/targets"
)

// Config of an Agent. Load reads it from a file; agent/reference.yaml shows every field. Fields without a key are for programs.
type Config struct {
	Modem    ModemConfig     `yaml:"modem"`
	Network  NetworkConfig   `yaml:"network"`
	Link     string          `yaml:"link"` // netstack, tun or host: who takes part in the closed network; "": netstack
	TUN      TUNConfig       `yaml:"tun"`
	Host     HostConfig      `yaml:"host"`
	Services []ServiceConfig `yaml:"services"` // ports served on the closed-network address; with netstack at least one
	Forwards []ForwardConfig `yaml:"forwards"` // local ports whose connections go into the closed network
	SOCKS    SOCKSConfig     `yaml:"socks"`
	Targets  TargetsConfig   `yaml:"targets"`
	Probe    ProbeConfig     `yaml:"probe"`
	Backoff  BackoffConfig   `yaml:"backoff"`
	Cures    CuresConfig     `yaml:"cures"`
	Log      LogConfig       `yaml:"log"`

	// StatusSocket is where `minato-agent status`, `at` and `doctor` ask; "": no socket. Mode 0660.
	StatusSocket string `yaml:"status_socket"`

	// Metrics is where Prometheus asks, as 127.0.0.1:9110: GET /metrics. "": nowhere.
	Metrics string `yaml:"metrics"`

	// StatusPort serves the status, read only, on the closed-network address: GET /v1/status. 0: it does not.
	StatusPort int `yaml:"status_port"`

	// StateDir keeps what must outlive the process: restarts of the modem, refused PINs, which probe was answered, and with tun what is
	// to be restored. "": nothing does, and tun is not possible.
	StateDir string `yaml:"state_dir"`

	NotifySocket string        `yaml:"-"` // systemd's NOTIFY_SOCKET; "": nobody is told
	Watchdog     time.Duration `yaml:"-"` // systemd's WATCHDOG_USEC; 0: none

	Logger *slog.Logger                         `yaml:"-"` // nil: silent
	After  func(time.Duration) <-chan time.Time `yaml:"-"` // nil: time.After; pauses between rounds
	Rand   func() float64                       `yaml:"-"` // nil: math/rand; in [0,1), for jitter
	Lookup func(target string) targets.Service  `yaml:"-"` // nil: the sample services of package targets, by name

	// FindUSB finds the modem of modem.port auto, by what modem.usb says; nil: in /sys.
	FindUSB func(which string) (tty.USBModem, error) `yaml:"-"`

	// Haste divides everything that the agent waits for, configured or its own, so that tests go through hours in minutes with the
	// proportions of what is shipped. 0: 1.
	Haste float64 `yaml:"-"`
}

// ModemConfig says where the modem is.
type ModemConfig struct {
	Port    string `yaml:"port"`     // tty or PTY for AT commands, or "auto": a modem on USB; required
	USB     string `yaml:"usb"`      // with auto: id "2c7c:0125", place "1-1.3" or serial number; "": the only modem
	PPPPort string `yaml:"ppp_port"` // tty or PTY to dial on; "": dial on port
	CMUX    string `yaml:"cmux"`     // auto, on or off: make two ports of one; "": auto, which is where there is no ppp_port and the modem can
	Baud    int    `yaml:"baud"`     // bit/s; 0: found out on a UART, beginning with 115200. USB modems ignore it
	RTSCTS  bool   `yaml:"rtscts"`   // hardware flow control, for a UART with both lines wired
	PIN     string `yaml:"pin"`      // 4 to 8 digits; "": the SIM has none
	PINFile string `yaml:"pin_file"` // file with the PIN, instead of pin

	detectBaud bool
	findUSB    func(which string) (tty.USBModem, error)
	settled    bool // a modem is taken with the ports that it has
}

// NetworkConfig is the packet data context.
type NetworkConfig struct {
	APN          string `yaml:"apn"`           // access point name; "": soracom.io
	Type         string `yaml:"type"`          // IP, IPV4V6 or IPV6; "": IP
	CID          int    `yaml:"cid"`           // context id, 1 to 16; 0: 1
	Auth         string `yaml:"auth"`          // chap, pap or none; "": chap where there is a user, else none
	User         string `yaml:"user"`          // "": sora on soracom.io, else none
	Password     string `yaml:"password"`      // "": sora on soracom.io
	PasswordFile string `yaml:"password_file"` // file with the password, instead of password

	EchoInterval time.Duration `yaml:"echo_interval"` // LCP echo requests; 0: 2s, negative: none
	EchoFailures int           `yaml:"echo_failures"` // unanswered ones until the link counts as dead; 0: 4
}

// TUNConfig is for link: tun, which gives the link to the whole system as an interface.
type TUNConfig struct {
	Name    string   `yaml:"name"`    // of the interface; "": minato0
	Routes  []string `yaml:"routes"`  // IPv4 networks, as 100.127.0.0/16: what is reached through the link, beside its name servers; nil: 100.127.0.0/16 on soracom.io, else nothing
	Metric  int      `yaml:"metric"`  // of these routes; 0: 5000, behind those of every LAN
	DNS     string   `yaml:"dns"`     // auto, resolved, resolvconf, file or none: how the system learns of the name servers; "": auto
	Domains []string `yaml:"domains"` // what systemd-resolved asks them for; nil: soracom.io on that APN, else everything
}

// HostConfig is for link: host, where the interface is the modem's or the system's.
type HostConfig struct {
	Interface string `yaml:"interface"` // as wwan0 or usb0; required with link: host
	Connect   string `yaml:"connect"`   // auto: the modem is asked by its vendor's command; off: the system does it; "": auto
}

// ServiceConfig is one port of the closed-network address.
type ServiceConfig struct {
	Name   string `yaml:"name"`   // in the status and the log; "": the target's
	Port   int    `yaml:"port"`   // TCP port, 1 to 65535
	Target string `yaml:"target"` // builtin:vnc, builtin:http, builtin:https, builtin:modbus, builtin:ssh, or tcp://HOST:PORT

	MaxConnections int  `yaml:"max_connections"` // at a time; the others are reset. 0: 64
	ProxyProtocol  bool `yaml:"proxy_protocol"`  // begin connections to tcp:// with a PROXY header, version 2, which names the client
}

// ForwardConfig is a local port that leads to a place in the closed network.
type ForwardConfig struct {
	Listen         string `yaml:"listen"`          // IP:PORT of the device
	To             string `yaml:"to"`              // HOST:PORT in the closed network, whose DNS knows the name
	MaxConnections int    `yaml:"max_connections"` // 0: 64
}

// SOCKSConfig is a local SOCKS5 port, by which programs reach any place in the closed network.
type SOCKSConfig struct {
	Listen         string `yaml:"listen"`          // loopback IP:PORT; "": none
	MaxConnections int    `yaml:"max_connections"` // 0: 64
}

// TargetsConfig is for the builtin services.
type TargetsConfig struct {
	Name        string    `yaml:"name"`         // of the device, shown on the page and the screen; "": minato
	VNCPassword string    `yaml:"vnc_password"` // at most 8 characters; "": none is asked for
	SSH         SSHConfig `yaml:"ssh"`
}

// SSHConfig says who may log in by SSH.
type SSHConfig struct {
	HostKeyFile    string            `yaml:"host_key_file"`   // made when it is not there; "": a new key at each start
	AuthorizedKeys []string          `yaml:"authorized_keys"` // lines as of authorized_keys
	Passwords      map[string]string `yaml:"passwords"`       // user to password; none: no log-in by password
	Shell          string            `yaml:"shell"`           // what a log-in runs, as the agent's user; "": the sample commands
}

// ProbeConfig is the question by which a link is known to carry data to the closed network and back.
type ProbeConfig struct {
	Target   string        `yaml:"target"`   // dns, dns://IP[:PORT], tcp://IP:PORT or none; "": dns, which asks the first server that the network tells
	Interval time.Duration `yaml:"interval"` // 0: 5s
	Timeout  time.Duration `yaml:"timeout"`  // of one question; 0: 2s
	Failures int           `yaml:"failures"` // questions in a row without an answer until the link counts as dead; 0: 3
}

// BackoffConfig is the pause between rounds that fail. It doubles from min to max, with a jitter of a half, and begins anew
// after a link that was up for stable.
type BackoffConfig struct {
	Min    time.Duration `yaml:"min"`    // 0: 1s
	Max    time.Duration `yaml:"max"`    // 0: 1m
	Stable time.Duration `yaml:"stable"` // 0: 1m
}

// CuresConfig is the ladder that is climbed while rounds fail: redial, reattach, radio off and on, restart of the modem, power.
type CuresConfig struct {
	Tries             int           `yaml:"tries"`               // failures before the next step; 0: 2
	PowerCycle        []string      `yaml:"power_cycle"`         // program and arguments that switch the modem's power off and on; none: not done
	PowerCycleTimeout time.Duration `yaml:"power_cycle_timeout"` // 0: 30s
	ResetInterval     time.Duration `yaml:"reset_interval"`      // between two restarts of the modem, at least; doubles while they do not help. 0: 5m
	MaxResetInterval  time.Duration `yaml:"max_reset_interval"`  // 0: 6h
}

// CheckPowerCycle tells why the program of PowerCycle could not be started by this user now; nil: it could, or there is none.
func (c CuresConfig) CheckPowerCycle() error {
	if len(c.PowerCycle) == 0 {
		return nil
	}
	if _, err := exec.LookPath(c.PowerCycle[0]); err != nil {
		return fmt.Errorf("cures.power_cycle: %w", err)
	}
	return nil
}

// LogConfig is what the program writes to stderr.
type LogConfig struct {
	Level  string `yaml:"level"`  // debug, info, warn or error; "": info
	Format string `yaml:"format"` // text or json; "": text
}

func (c *Config) setDefaults() {
	if c.Network.APN == "" {
		c.Network.APN = soracomAPN
	}
	if c.Network.APN == soracomAPN && c.Network.User == "" && c.Network.Password == "" && c.Network.Auth != "none" {
		c.Network.User, c.Network.Password = "sora", "sora" // public, the same for every subscriber
	}
	setDefault(&c.Network.Type, "IP")
	setDefault(&c.Network.CID, 1)
	setDefault(&c.Network.EchoInterval, 2*time.Second)
	setDefault(&c.Network.EchoFailures, 4)
	if c.Network.Auth == "" {
		c.Network.Auth = "none"
		if c.Network.User != "" {
			c.Network.Auth = "chap"
		}
	}
	setDefault(&c.Link, LinkNetstack)
	setDefault(&c.TUN.Name, "minato0")
	setDefault(&c.TUN.Metric, 5000)
	setDefault(&c.TUN.DNS, "auto")
	setDefault(&c.Host.Connect, "auto")
	if c.Network.APN == soracomAPN {
		if c.TUN.Routes == nil {
			c.TUN.Routes = []string{"100.127.0.0/16"} // name servers and platform services
		}
		if c.TUN.Domains == nil {
			c.TUN.Domains = []string{soracomAPN}
		}
	}
	c.Modem.detectBaud = c.Modem.Baud == 0
	if c.Modem.findUSB = c.FindUSB; c.FindUSB == nil {
		c.Modem.findUSB = func(which string) (tty.USBModem, error) { return tty.Choose(os.DirFS("/sys"), which) }
	}
	setDefault(&c.Modem.Baud, 115200)
	setDefault(&c.Modem.CMUX, "auto")
	setDefault(&c.Backoff.Min, defaultBackoffMin)
	setDefault(&c.Backoff.Max, max(time.Minute, c.Backoff.Min))
	setDefault(&c.Backoff.Stable, time.Minute)
	setDefault(&c.Probe.Target, defaultProbe)
	setDefault(&c.Probe.Interval, 5*time.Second)
	setDefault(&c.Probe.Timeout, 2*time.Second)
	setDefault(&c.Probe.Failures, 3)
	setDefault(&c.Cures.Tries, 2)
	setDefault(&c.Cures.PowerCycleTimeout, 30*time.Second)
	setDefault(&c.Cures.ResetInterval, defaultResetInterval)
	setDefault(&c.Cures.MaxResetInterval, max(6*time.Hour, c.Cures.ResetInterval))
	setDefault(&c.Log.Level, "info")
	setDefault(&c.Log.Format, "text")
	for i := range c.Services {
		s := &c.Services[i]
		setDefault(&s.Name, s.Target)
		setDefault(&s.MaxConnections, defaultConnections)
	}
	for i := range c.Forwards {
		setDefault(&c.Forwards[i].MaxConnections, defaultConnections)
	}
	setDefault(&c.SOCKS.MaxConnections, defaultConnections)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.After == nil {
		c.After = time.After
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	for _, d := range []*time.Duration{
		&c.Network.EchoInterval, &c.Probe.Interval, &c.Probe.Timeout, &c.Backoff.Min, &c.Backoff.Max, &c.Backoff.Stable,
		&c.Cures.PowerCycleTimeout, &c.Cures.ResetInterval, &c.Cures.MaxResetInterval,
	} {
		*d = faster(*d, c.Haste)
	}
}

// faster is a time under Config.Haste.
func faster(d time.Duration, haste float64) time.Duration {
	if haste <= 0 {
		return d
	}
	return time.Duration(float64(d) / haste)
}

// defaultConnections keeps a small device alive: each may buffer some hundred kB.
const defaultConnections = 64

const soracomAPN = "soracom.io"

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
