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
	var missing *env.MissingError
	switch {
	case errors.As(shared.err, &missing) && os.Getenv("CI") != "true":
		t.Skip(shared.err)
	case shared.err != nil:
		t.Fatal(shared.err)
	}
	return &shared
}

func (s *sharedGuest) start() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), bootTimeout)
	defer cancel()
	var log *slog.Logger
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if s.image, err = (Builder{NGSM: true, Logger: log}).Build(ctx); err != nil {
		return err
	}
	if s.line, err = listenLine(); err != nil {
		return err
	}
	s.guest, err = Start(ctx, Config{Image: s.image, Serial: []string{s.line.path()}, Logger: log})
	return err
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
