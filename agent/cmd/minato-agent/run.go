package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"minato/agent"
)

type runCmd struct {
	Config string `short:"c" required:"" placeholder:"FILE" help:"Configuration."`
}

func (r *runCmd) Run(ctx context.Context, c *cli) error {
	cfg, err := agent.Load(r.Config)
	if err != nil {
		return &usageError{err}
	}
	cfg.Logger = c.logger(cfg.Log)
	a, err := agent.New(cfg)
	if err != nil {
		return &usageError{err}
	}
	return a.Run(ctx)
}

// logger writes to stderr. The flags go over the configuration.
func (c *cli) logger(cfg agent.LogConfig) *slog.Logger {
	if c.LogLevel != "" {
		cfg.Level = c.LogLevel
	}
	if c.LogFormat != "" {
		cfg.Format = c.LogFormat
	}
	var opts slog.HandlerOptions
	level := slog.LevelInfo
	if cfg.Level != "" && level.UnmarshalText([]byte(cfg.Level)) == nil {
		opts.Level = level
	}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, &opts))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &opts))
}

type checkCmd struct {
	File string `arg:"" help:"Configuration."`
}

func (c *checkCmd) Run() error {
	cfg, err := agent.Load(c.File)
	if err == nil {
		_, err = agent.New(cfg)
	}
	if err != nil {
		return &usageError{err}
	}
	fmt.Println(c.File + ": good")
	return nil
}
