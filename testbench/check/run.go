package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"minato/testbench/neterr"
)

const defaultTimeout = 30 * time.Second

// recorder keeps the log and the timings of one check while it runs, on one goroutine.
type recorder struct {
	res    Result
	log    *slog.Logger
	step   string
	stepAt time.Time
	conns  []net.Conn
}

// run frames a check: its deadline, its record, the closing of what it dialled, and its error.
func run(ctx context.Context, name string, o Options, fn func(ctx context.Context, r *recorder) error) (Result, error) {
	timeout := o.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %s: %w", timeout, context.DeadlineExceeded))
		defer cancel()
	}
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	now := time.Now()
	r := &recorder{res: Result{Check: name, Started: now}, log: log.With("check", name), step: "starting", stepAt: now}
	err := fn(ctx, r)
	failedAt := r.step
	r.begin("")
	for _, conn := range r.conns {
		conn.Close()
	}
	r.res.Duration = time.Since(r.res.Started)
	if err == nil {
		return r.res, nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx) // the connection was closed under the check: what that looked like says nothing
	}
	e := &Error{Check: name, Step: failedAt, Err: err, Hint: hint(failedAt, err)}
	var known *hinted
	if errors.As(err, &known) {
		e.Hint = known.hint
	}
	r.res.Summary = e.Error()
	r.logf("failed: %v", err)
	return r.res, e
}

// begin starts a step and ends the one before.
func (r *recorder) begin(step string) {
	now := time.Now()
	if r.step != "starting" && r.step != "" {
		r.res.Steps = append(r.res.Steps, Step{Name: r.step, Duration: now.Sub(r.stepAt)})
	}
	r.step, r.stepAt = step, now
}

func (r *recorder) logf(format string, args ...any) {
	line := Line{At: time.Since(r.res.Started), Text: fmt.Sprintf(format, args...)}
	r.res.Log = append(r.res.Log, line)
	r.log.Info(line.Text)
}

func (r *recorder) summaryf(format string, args ...any) {
	r.res.Summary = fmt.Sprintf(format, args...)
	r.logf("%s", r.res.Summary)
}

const stepDial = "connecting"

// dial connects as a step of the check. The connection ends with ctx at the latest.
func (r *recorder) dial(ctx context.Context, dial Dial) (net.Conn, error) {
	r.begin(stepDial)
	conn, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	bound := bindConn(ctx, conn)
	r.conns = append(r.conns, bound)
	r.logf("connected to %s", conn.RemoteAddr())
	return bound, nil
}

// boundConn is closed when a context ends: libraries set deadlines of their own, so that ours would not last.
type boundConn struct {
	net.Conn
	stop func() bool
}

func bindConn(ctx context.Context, conn net.Conn) net.Conn {
	return &boundConn{Conn: conn, stop: context.AfterFunc(ctx, func() { conn.Close() })}
}

func (c *boundConn) Close() error {
	c.stop()
	return c.Conn.Close()
}

// CloseWrite closes our direction where the connection can do so.
func (c *boundConn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("a %T cannot close one direction", c.Conn)
	}
	return half.CloseWrite()
}

// hinted is an error that knows the cure.
type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

func hintf(hint, format string, args ...any) error {
	return &hinted{fmt.Errorf(format, args...), hint}
}

// hint is the cure of what can befall every protocol.
func hint(step string, err error) string {
	switch {
	case step == stepDial && neterr.Refused(err):
		return "nothing listens there: the port mapping may have ended, or the port is mistyped"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || neterr.Reset(err):
		return "the relay refuses by closing: the mapping has ended, this address is outside its ranges, the TLS option does not fit the protocol, or the device refused; its audit log says which"
	case neterr.Timeout(err):
		return "the service may wait for the client to speak first, or speak TLS where plain text is expected, or the other way round; the relay's audit log says what it saw"
	}
	return ""
}
