package check

import (
	"context"
	"image"
	"log/slog"
	"net"
	"time"
)

// Dial opens a new connection to the service that is checked.
type Dial func(ctx context.Context) (net.Conn, error)

// Func is one check.
type Func func(ctx context.Context, dial Dial, o Options) (Result, error)

// Funcs are all checks by name.
var Funcs = map[string]Func{
	"http":      HTTP,
	"modbus":    Modbus,
	"vnc":       VNC,
	"ssh":       SSH,
	"rdp":       RDP,
	"bulk":      Bulk,
	"halfclose": HalfClose,
}

// Options of all checks; each reads its own part. The zero value asks each protocol the least that proves it.
type Options struct {
	Logger  *slog.Logger  // also gets the lines that the Result keeps; nil: only the Result
	Timeout time.Duration // for the whole check; 0: 30 s, negative: only ctx

	HTTP      HTTPOptions
	Modbus    ModbusOptions
	VNC       VNCOptions
	SSH       SSHOptions
	RDP       RDPOptions
	Bulk      BulkOptions
	HalfClose HalfCloseOptions
}

// Result is what a check saw. It is filled as far as the check came.
type Result struct {
	Check    string
	Started  time.Time
	Duration time.Duration
	Summary  string      // one sentence
	Steps    []Step      // in order, with their times
	Log      []Line      // what was said and found
	Screen   *image.RGBA // vnc: the last screen; nil otherwise
}

// Step is one timed part of a check.
type Step struct {
	Name     string
	Duration time.Duration
}

// Line is one line of a check's own log.
type Line struct {
	At   time.Duration // since Started
	Text string
}

// Error names the check and the step that failed.
type Error struct {
	Check string // "http"
	Step  string // "reading the status line"
	Err   error
	Hint  string // what to do about it; may be ""
}

func (e *Error) Error() string { return e.Check + ": " + e.Step + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// HTTPOptions of "http": one GET.
type HTTPOptions struct {
	Host     string // Host header; "": device
	Path     string // with the query; "": /
	Status   int    // wanted; 0: 200
	Contains string // in the body's first MiB; "": any body
}

// ModbusOptions of "modbus": reads, and when Write is set writes a register, reads it back and restores it.
type ModbusOptions struct {
	UnitID                   byte   // 0: 1
	Address                  uint16 // of the first register read
	Quantity                 uint16 // of registers read from both tables; 0: 4, at most 125
	SkipInput, SkipHolding   bool   // tables that the device does not have
	Write                    bool   // also write WriteValue to holding register WriteAddress
	WriteAddress, WriteValue uint16
}

// VNCOptions of "vnc": log in, take the screen; with Type also type and wait for a change.
type VNCOptions struct {
	Password string // "": security type None is expected
	Type     string // text to type; "\n" is Return
}

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

// RDPOptions of "rdp".
type RDPOptions struct {
	Cookie string // sent as mstshash, the routing token; "": none, which makes the request 19 bytes long
}

// BulkOptions of "bulk": seeded pseudo-random data, compared by SHA-256.
type BulkOptions struct {
	Size         int64  // bytes in each direction; 0: 1 MiB
	Seed         uint64 // of the data
	Echo         bool   // the far end echoes bytes; false: it is HTTP with PUT /upload and GET /bytes/N
	UploadPath   string // "": /upload; the reply's body must hold the SHA-256 of what was sent, in hex
	DownloadPath string // "": /bytes/N with N = Size; the SHA-256 is compared when the reply has it in header X-Content-Sha256
}

// HalfCloseOptions of "halfclose": send a request, close our direction, and the whole answer must still come.
type HalfCloseOptions struct {
	Send string // "": a GET of / with Connection: close
	Want string // start of the answer; "": HTTP/1.
}
