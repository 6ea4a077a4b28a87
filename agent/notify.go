package agent

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// A notifier tells systemd how the service does, by the datagrams of sd_notify(3). Without a socket it does nothing.
type notifier struct{ socket string }

func (n notifier) send(lines ...string) error {
	if n.socket == "" {
		return nil
	}
	name := n.socket
	if strings.HasPrefix(name, "@") { // abstract
		name = "\x00" + name[1:]
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetWriteDeadline(time.Now().Add(time.Second))
	_, err = c.Write([]byte(strings.Join(lines, "\n")))
	return err
}

// notify tells systemd that the agent runs, whether or not there is a network; what it is doing, each time that changes; and, as
// often as the watchdog wants, that the supervisor is not stuck. It ends with ctx.
func (a *Agent) notify(ctx context.Context) {
	n := notifier{a.cfg.NotifySocket}
	if n.socket == "" {
		return
	}
	ready := n.send("READY=1")
	if ready != nil {
		a.log.Warn("systemd cannot be told yet", "error", ready)
	}
	every := time.Second
	if a.cfg.Watchdog > 0 {
		every = min(every, a.cfg.Watchdog/2)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var told string
	var fed time.Time
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			n.send("STOPPING=1", "STATUS=hanging up")
			return
		}
		if ready != nil { // it may have been busy with itself
			ready = n.send("READY=1")
		}
		if s := a.summary(); s != told && n.send("STATUS="+s) == nil {
			told = s
		}
		if a.cfg.Watchdog > 0 && time.Since(fed) >= a.cfg.Watchdog/3 && !a.isStuck() && n.send("WATCHDOG=1") == nil {
			fed = time.Now()
		}
	}
}

// endMargin is what the agent's end takes beside a power cycle.
const endMargin = 15 * time.Second

// endLater has the service manager wait for a power cycle, for at most limit, where TimeoutStopSec= may be shorter.
func (a *Agent) endLater(limit time.Duration) {
	a.log.Info("the end waits for the power cycle", "at_most", limit)
	if err := (notifier{a.cfg.NotifySocket}).send(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", (limit + endMargin).Microseconds())); err != nil {
		a.log.Warn("systemd cannot be told that the end waits", "error", err)
	}
}

// summary is one line for `systemctl status`.
func (a *Agent) summary() string {
	s := a.Status()
	switch {
	case s.State == StateOnline && s.Probe != nil && s.Probe.Missed > 0:
		return fmt.Sprintf("online, %s; %s", s.Address, s.Probe.Error)
	case s.State == StateOnline:
		return fmt.Sprintf("online, %s", s.Address)
	case s.Failure != nil:
		return fmt.Sprintf("%s; %s %s: %.200s", s.State, s.Failure.Code, s.Failure.Name, strings.ReplaceAll(s.Failure.Message, "\n", " "))
	}
	return s.State.String()
}

// stuckAfter is what the supervisor may take beyond what it allowed itself.
const stuckAfter = time.Minute

// processStart is what the supervisor's time is counted from: the date may jump by years while it is set after the boot.
var processStart = time.Now()

// busyUntil notes when the supervisor will be heard of again.
func (a *Agent) busyUntil(limit time.Duration) {
	a.due.Store(int64(time.Since(processStart) + limit + stuckAfter))
}

// isStuck tells a supervisor that is late. While the link is up it waits, and is never.
func (a *Agent) isStuck() bool {
	due := a.due.Load()
	return due != 0 && time.Since(processStart) > time.Duration(due)
}
