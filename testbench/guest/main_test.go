package guest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"minato/testbench/env"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

// suite ends the guest before the look for goroutines.
type suite struct{ *testing.M }

func (s suite) Run() int {
	code := s.M.Run()
	shared.stop()
	return code
}

// shared is the one guest of this package's tests, booted by the first test that wants it.
var shared sharedGuest

type sharedGuest struct {
	once  sync.Once
	guest *Guest
	line  *line // what the guest's first port leads to
	image *Image
	err   error
}

// bootTimeout is for making the image, too, and for a machine that is busy with other tests; an idle one takes a tenth of it.
const bootTimeout = 5 * time.Minute

// sharedFor gives the shared guest. Where something is not installed the test is skipped, and fails when CI=true.
func sharedFor(t *testing.T) *sharedGuest {
	t.Helper()
	shared.once.Do(func() { shared.err = shared.start() })
	require(t, shared.err)
	return &shared
}

// require ends the test where err says that it cannot be done.
func require(t *testing.T, err error) {
	t.Helper()
	var missing *env.MissingError
	switch {
	case errors.As(err, &missing) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}

func (s *sharedGuest) start() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), bootTimeout)
	defer cancel()
	if s.image, err = buildImage(); err != nil {
		return err
	}
	if s.line, err = listenLine(); err != nil {
		return err
	}
	s.guest, err = Start(ctx, Config{Image: s.image, Serial: []string{s.line.path()}, Logger: consoleLog()})
	return err
}

// buildImage makes the one image of this package's guests.
var buildImage = sync.OnceValues(func() (*Image, error) {
	ctx, cancel := context.WithTimeout(context.Background(), bootTimeout)
	defer cancel()
	return Builder{NGSM: true, Logger: consoleLog()}.Build(ctx)
})

// consoleLog shows what a guest says, with -v.
func consoleLog() *slog.Logger {
	if !testing.Verbose() {
		return nil
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (s *sharedGuest) stop() {
	if s.guest != nil {
		s.guest.Close()
	}
	if s.line != nil {
		s.line.close()
	}
}

// sh runs a script that must succeed.
func (s *sharedGuest) sh(t *testing.T, script string) string {
	t.Helper()
	out, code := s.try(t, script)
	if code != 0 {
		t.Fatalf("script %q: exit status %d", script, code)
	}
	return strings.TrimSpace(out)
}

// try runs a script.
func (s *sharedGuest) try(t *testing.T, script string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute) // a clean-up runs scripts too
	defer cancel()
	out, code, err := s.guest.Exec(ctx, script)
	if err != nil {
		t.Fatal(err)
	}
	return out, code
}
