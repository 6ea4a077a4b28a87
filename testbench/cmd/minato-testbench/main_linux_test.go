package main

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// TestHangUp: the terminal's end is an end in order, except for a program that was told to ignore it.
func TestHangUp(t *testing.T) {
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP) // not ignored from now on, even where the test itself was started with nohup
	ctx, stop := untilEnded()
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	<-hangUps
	signal.Stop(hangUps)
	stop()

	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	_, stop = untilEnded()
	defer stop()
	if !signal.Ignored(syscall.SIGHUP) {
		t.Error("SIGHUP is heard, though it was ignored")
	}
}
