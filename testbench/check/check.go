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
