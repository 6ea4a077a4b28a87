package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"minato/agent"
	"minato/agent/hostnet"
)

// runAgent keeps the device online until it is told to end.
func (p *program) runAgent(ctx context.Context, _ []string) error {
	if p.config == "" {
		return &usageError{errors.New("run needs -c FILE")}
	}
	cfg, err := agent.Load(p.config)
	if err != nil {
		return configError(p.config, err)
	}
	// A log that nobody reads any more is no reason to end. Without this a write to it would be (os/signal, SIGPIPE); signal.Ignore would go on to
	// the programs that the agent starts.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	cfg.Logger = p.logger(cfg.Log)
	cfg.Logger.Info("minato-agent", "version", agent.Version())
	if cfg.StateDir == "" {
		cfg.StateDir = os.Getenv("STATE_DIRECTORY") // systemd's StateDirectory=
	}
	cfg.NotifySocket, cfg.Watchdog = os.Getenv("NOTIFY_SOCKET"), watchdog(os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID"))
	os.Unsetenv("NOTIFY_SOCKET") // not for cures.power_cycle
	a, err := agent.New(cfg)
	if err != nil {
		return &usageError{err}
	}
	return a.Run(ctx)
}

// restore takes back what an agent that was killed left in the system's network. It is for the service manager, when the agent has
// stopped: where nothing was left it does nothing.
func (p *program) restore(context.Context, []string) error {
	cfg, err := agent.Load(p.config)
	dir := cmp.Or(cfg.StateDir, os.Getenv("STATE_DIRECTORY"))
	if dir == "" {
		return configError(p.config, err) // none: with tun the agent would not have started
	}
	return hostnet.Restore(dir, p.logger(cfg.Log))
}

// watchdog reads systemd's wish (sd_watchdog_enabled(3)). One for another process is none.
func watchdog(usec, pid string) time.Duration {
	n, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || n <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return time.Duration(n) * time.Microsecond
}

// logger writes to stderr. The flags go over the configuration.
func (p *program) logger(cfg agent.LogConfig) *slog.Logger {
	if p.log.Level != "" {
		cfg.Level = p.log.Level
	}
	if p.log.Format != "" {
		cfg.Format = p.log.Format
	}
	var level slog.Level // info
	if cfg.Level != "" {
		level.UnmarshalText([]byte(cfg.Level)) // one of four words, as was checked
	}
	opts := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(p.errOut, opts))
	}
	return slog.New(slog.NewTextHandler(p.errOut, opts))
}

// checkConfig checks a file, without making or opening what it names. What another user or the service manager may see in another way is a note.
func (p *program) checkConfig(_ context.Context, args []string) error {
	cfg, err := agent.Load(args[0])
	if err != nil {
		return configError(args[0], err)
	}
	if err := cfg.CheckHere(); err != nil {
		return &usageError{fmt.Errorf("%s: %w", args[0], err)}
	}
	if cfg.Link == agent.LinkTUN && cmp.Or(cfg.StateDir, os.Getenv("STATE_DIRECTORY")) == "" {
		fmt.Fprintln(p.errOut, "minato-agent: note: link: tun needs state_dir, unless systemd gives one, as the package's unit has it do")
	}
	if key := cfg.Targets.SSH.HostKeyFile; key != "" {
		if fi, err := os.Stat(filepath.Dir(key)); errors.Is(err, fs.ErrNotExist) || err == nil && !fi.IsDir() {
			fmt.Fprintf(p.errOut, "minato-agent: note: targets.ssh.host_key_file is %q: its folder is not there, and without it the key changes at each start\n", key)
		}
	}
	if err := cfg.Cures.CheckPowerCycle(); err != nil {
		fmt.Fprintf(p.errOut, "minato-agent: note: this user cannot start what would switch the modem's power: %v\n", err)
	}
	fmt.Fprintf(p.out, "%s: good\n", args[0])
	return nil
}
