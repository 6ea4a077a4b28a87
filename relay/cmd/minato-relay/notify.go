package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// systemd is the service manager that started this program, if one did (sd_notify(3), sd_watchdog_enabled(3)).
type systemd struct {
	log      *slog.Logger
	watchdog time.Duration // 0: none
	alive    func(context.Context) error
}

// newSystemd reads what the service manager wants from the environment.
func newSystemd(log *slog.Logger, alive func(context.Context) error) systemd {
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog's environment makes no sense: there is none", "error", err)
	}
	return systemd{log: log, watchdog: watchdog, alive: alive}
}

// tell says that the service is ready, once it is; feeds the watchdog as long as the relay is alive; and says that it stops. It ends with ctx.
func (s systemd) tell(ctx context.Context, ready <-chan struct{}) {
	select {
	case <-ready:
	case <-ctx.Done():
		return
	}
	s.send(daemon.SdNotifyReady)
	defer s.send(daemon.SdNotifyStopping)
	if s.watchdog == 0 {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(s.watchdog / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.feed(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// feed tells the watchdog that the relay is alive, if it is.
func (s systemd) feed(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.watchdog/3)
	defer cancel()
	if err := s.alive(ctx); err != nil {
		s.log.Error("the relay does not answer the watchdog", "error", err)
		return
	}
	s.send(daemon.SdNotifyWatchdog)
}

func (s systemd) send(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn("systemd cannot be told", "error", err)
	}
}
