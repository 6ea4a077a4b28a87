//go:build !linux

package main

import (
	"errors"
	"runtime"
)

// The whole path needs PTYs and network namespaces: it runs on Linux only.
type (
	runCommand   struct{}
	listCommand  struct{}
	upCommand    struct{}
	benchCommand struct{}
)

func linuxOnly() error {
	return &exitError{status: exitUsage, hint: "the tunnel works here",
		err: errors.New("this command runs on Linux only, and this is " + runtime.GOOS)}
}

func (runCommand) Run() error   { return linuxOnly() }
func (listCommand) Run() error  { return linuxOnly() }
func (upCommand) Run() error    { return linuxOnly() }
func (benchCommand) Run() error { return linuxOnly() }

func runChild() (child bool, status int) { return false, 0 }

func measureNames() string { return "" }
