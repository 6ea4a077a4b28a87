package agent

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"minato/agent/modem"
	"minato/agent/tty"
)

// cureTimeout bounds a cure that talks to the modem: two functionality changes, or detach and attach at their longest.
const cureTimeout = 5 * time.Minute

// cure does what the ladder decided. What it cannot do is one line in the log: the next round finds out how things stand.
func (a *Agent) cure(ctx context.Context, c Cure) {
	if c == CureRedial {
		return
	}
	a.log.Info("cure", "cure", c)
	a.update(func(s *Status) { s.Cure = c.String() })
	limit := cureTimeout
	if c == CurePowerCycle {
		limit += a.cfg.Cures.PowerCycleTimeout
	}
	a.busyUntil(limit)
	begin := time.Now()
	cctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := a.applyCure(cctx, c)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		a.log.Warn("cure failed", "cure", c, "error", err)
	default:
		a.update(func(s *Status) { s.Cures[c.String()]++ })
		a.log.Info("cure done", "cure", c, "took", time.Since(begin).Round(time.Millisecond))
	}
}

func (a *Agent) applyCure(ctx context.Context, c Cure) error {
	if c == CurePowerCycle {
		a.closeSession()
		return a.powerCycle(ctx)
	}
	if a.currentSession() == nil {
		defer a.closeSession() // it was opened for the cure alone: the next round makes its multiplexer and sets it up
	}
	m, err := a.modemForCure(ctx)
	if err != nil {
		return err
	}
	switch c {
	case CureReattach:
		return m.Reattach(ctx, a.cfg.Network.CID)
	case CureRadio:
		return m.RestartRadio(ctx)
	}
	err = m.Reset(ctx)
	a.closeSession()         // the modem forgets all that was set, and its USB ports go away
	if !modem.Refused(err) { // some modems restart without a word
		err = errors.Join(err, a.restarted(m.Boot()))
	}
	return err
}

// modemForCure gives the modem on the open port, or opens it.
func (a *Agent) modemForCure(ctx context.Context) (*modem.Modem, error) {
	if s := a.currentSession(); s != nil {
		return s.modem, nil
	}
	r := &round{agent: a}
	err := r.step(ctx, StatePort, (*round).openPort)
	if err == nil {
		err = r.step(ctx, StateIdentify, (*round).recognise)
	}
	if err != nil {
		a.closeSession() // the next round begins with the port
		return nil, err
	}
	return r.session.modem, nil
}

// restarted notes that the modem boots. Until it is back, a missing port is no failure.
func (a *Agent) restarted(boot time.Duration) error {
	a.booting = time.Now().Add(boot)
	return a.ladder.restarted()
}

// bootPause is how often a booting modem is looked for.
const bootPause = time.Second

// isBooting tells a failure that is only the restart of a modem. That it restarted by itself is one that counts.
func (a *Agent) isBooting(f *Failure) bool {
	return f.Code == NoModem && f.Class != ClassPerson && !isRestart(f.Err) && time.Now().Before(a.booting)
}

// isUnready tells a port that has just appeared: udev has yet to give it to its group, another program tries it, or the modem's others
// are still to come. What lasts is somebody's to change.
func (a *Agent) isUnready(f *Failure) bool {
	if !errors.Is(f.Err, tty.ErrPermission) && !errors.Is(f.Err, tty.ErrBusy) && !errors.Is(f.Err, tty.ErrIncomplete) {
		a.unready = time.Time{}
		return false
	}
	if a.unready.IsZero() {
		a.unready = time.Now()
	}
	if a.isSettled() {
		return false
	}
	f.Class = ClassBackOff
	return true
}

// isSettled tells that such a port had its time.
func (a *Agent) isSettled() bool {
	return a.timing.settle <= 0 || !a.unready.IsZero() && time.Since(a.unready) >= a.timing.settle
}

// maxOutput bounds what is kept of the command's output, for the log.
const maxOutput = 2000

// powerCycle runs the configured command. It is killed with all that it started when its time is over, and not at the agent's end: cut short
// between off and on, it would leave the modem without power.
func (a *Agent) powerCycle(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err // the end came first
	}
	argv, limit := a.cfg.Cures.PowerCycle, a.cfg.Cures.PowerCycleTimeout
	running, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	defer context.AfterFunc(ctx, func() { a.endLater(limit) })()
	cmd := exec.CommandContext(running, argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var out boundedBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	// It counts whether or not it ends well: it may have cut the power. That is noted before, since the power may be this device's, too.
	before := a.ladder.state.resets()
	noted := a.ladder.beginPowerCycle()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting cures.power_cycle: %w", errors.Join(err, a.ladder.state.restoreResets(before)))
	}
	err := cmd.Wait()
	noted = errors.Join(noted, a.ladder.state.endPowerCycle())
	a.booting = time.Now().Add(modem.GenericBoot) // from when the power is back
	if err != nil {
		if running.Err() != nil {
			err = fmt.Errorf("no end within %v: %w", limit, err)
		}
		return fmt.Errorf("running cures.power_cycle %q: %w: %s", argv[0], err, strings.TrimSpace(string(out)))
	}
	return noted
}

// boundedBuffer keeps the beginning of what is written to it.
type boundedBuffer []byte

func (b *boundedBuffer) Write(p []byte) (int, error) {
	*b = append(*b, p[:min(len(p), maxOutput-len(*b))]...)
	return len(p), nil
}
