package guest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestExec(t *testing.T) {
	s := sharedFor(t)
	for _, tt := range []struct {
		name, script, want string
		exit               int
	}{
		{"output", "echo one; echo two", "one\ntwo\n", 0},
		{"nothing", "", "", 0},
		{"status", "echo before; exit 42", "before\n", 42},
		{"killed by a signal", "kill -TERM $$", "", 128 + 15},
		{"standard error is not output", "echo to the console >&2", "", 0},
		{"every octet", `i=0; while [ $i -lt 256 ]; do printf "\\$(printf %03o $i)"; i=$((i+1)); done`, everyOctet(), 0},
		{"long output", "head -c 100000 /dev/zero | tr '\\0' x", strings.Repeat("x", 100000), 0},
		{"long script", ": " + strings.Repeat("y", 20000) + "\necho end", "end\n", 0},
		{"modules are loaded", "grep -c ^ppp_async /proc/modules", "1\n", 0},
		{"the kernel is the image's", "uname -r", strings.TrimPrefix(kernelPackage(s.image), "linux-image-") + "\n", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, exit := s.try(t, tt.script)
			if out != tt.want || exit != tt.exit {
				t.Errorf("got %.80q and exit status %d, want %.80q and %d", out, exit, tt.want, tt.exit)
			}
		})
	}
}

func everyOctet() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

func kernelPackage(image *Image) string {
	for name := range image.Packages {
		if strings.HasPrefix(name, "linux-image-") {
			return name
		}
	}
	return ""
}

// TestExecSideBySide: scripts that end while others are being sent disturb nothing.
func TestExecSideBySide(t *testing.T) {
	s := sharedFor(t)
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			for j := range 5 {
				want := fmt.Sprintf("%d %d", i, j)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				out, _, err := s.guest.Exec(ctx, "echo "+want)
				cancel()
				if err != nil || strings.TrimSpace(out) != want {
					t.Errorf("got %q, %v; want %q", out, err, want)
				}
			}
		})
	}
	callers.Wait()
}

func TestExecCancelled(t *testing.T) {
	s := sharedFor(t)
	s.sh(t, "rm -f /run/begun; mkfifo /run/begun")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	end := make(chan error, 1)
	go func() {
		_, _, err := s.guest.Exec(ctx, "echo $$ >/run/begun; sleep 1000 & wait")
		end <- err
	}()
	pid := s.sh(t, "cat /run/begun")
	cancel()
	if err := <-end; !errors.Is(err, context.Canceled) {
		t.Errorf("Exec: %v, want %v", err, context.Canceled)
	}
	s.sh(t, "while [ -d /proc/"+pid+" ] || pidof sleep; do usleep 20000; done") // or the test's time is up
}
