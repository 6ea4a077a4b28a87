package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"minato/relay"
	"minato/relay/relayapi"
	"minato/testbench/check"
	"minato/testbench/env"
)

var slowLine = Scenario{
	Name: "slow-lossy-line",
	Doc:  "Over an LTE-M line of 588 kbit/s down, 120 ms and 2% of all packets lost, page, registers and a file arrive unchanged.",
	On:   userspace,
	Run: func(ctx context.Context, e *env.Env) error {
		if err := e.Shape(ctx, "catM1,loss=2%"); err != nil {
			return err
		}
		m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		const size = 200_000
		began := time.Now()
		if err := run(ctx, e, m, "bulk", check.Options{Timeout: -1, Bulk: check.BulkOptions{Size: size, Seed: e.Seed}}); err != nil {
			return err
		}
		// 1.6 Mbit down at 588 kbit/s: a line that is not as slow as that would prove nothing.
		if took, least := time.Since(began), size*8*time.Second/588_000; took < least {
			return fmt.Errorf("it took %s, which is faster than the line: %s at least", took, least)
		}
		plc, err := mapFor(ctx, e, 502, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		return run(ctx, e, plc, "modbus", check.Options{Modbus: check.ModbusOptions{Quantity: 2}})
	},
}

// idleTime of longIdle: the screen's clock moves every second, and a busy machine may be late.
const idleTime = 6 * time.Second

var longIdle = Scenario{
	Name:  "long-idle",
	Doc:   "A connection that is silent beyond the idle time is cut and the log says so; one that says a little now and then stays.",
	On:    userspace,
	Setup: func(c *env.Config) { c.Relay = func(c *relay.Config) { c.IdleTimeout = idleTime } },
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 5900, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		screen, err := check.DialVNC(ctx, m.Dialer(), check.VNCOptions{}) // whose clock moves every second
		if err != nil {
			return err
		}
		defer screen.Close()
		silent, err := openScreen(ctx, m)
		if err != nil {
			return err
		}
		defer silent.Close()
		began := time.Now()
		if err := expectCut(ctx, silent); err != nil {
			return err
		}
		if took := time.Since(began); took < idleTime/2 {
			return fmt.Errorf("the silent connection was cut after %s, before its idle time", took)
		}
		if _, err := m.AwaitAudit(ctx, "an idle end", func(entry relayapi.NapterAuditLogEntry) bool {
			return entry.Type == relayapi.AuditClosed && entry.CloseReason != "" && entry.DurationMs >= idleTime.Milliseconds()
		}); err != nil {
			return err
		}
		_, err = screen.AwaitChange(ctx, screen.Screen())
		return err
	},
}

var expiryUnderLoad = Scenario{
	Name: "expiry-under-load",
	Doc:  "A mapping whose time is up in the middle of a large download cuts it on time, however busy the connection is.",
	On:   userspace,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		var n int64
		var cutAt time.Time
		ended := make(chan error, 1)
		go func() { // until its mapping ends, or ctx
			var err error
			n, err = download(ctx, m, 1<<40)
			cutAt = time.Now()
			ended <- err
		}()
		if err := env.Await(ctx, "bytes of the download", func() (bool, error) {
			live, err := m.Client.API.Connections(ctx)
			return len(live) == 1 && live[0].BytesDown > 1<<20, err
		}); err != nil {
			return errors.Join(err, <-ended)
		}
		end, err := expireSoon(ctx, m)
		if err != nil {
			return errors.Join(err, m.Delete(ctx), <-ended)
		}
		err = <-ended
		late := cutAt.Sub(end)
		e.Step("the download was cut", "bytes", n, "after the mapping's end", late.Round(time.Millisecond), "with", err)
		if n == 0 || n >= 1<<40 {
			return fmt.Errorf("%d bytes came", n)
		}
		if late < 0 {
			return fmt.Errorf("the download was cut %s before the mapping's time was up", -late)
		}
		_, err = m.AwaitAudit(ctx, "the expiry", isType(relayapi.AuditExpired))
		return err
	},
}
