package unattended

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience bounds one story on a machine that is busy with other tests; an idle one takes a tenth of it.
const patience = 4 * time.Minute

// What make soak says.
var (
	soak  = flag.Duration("soak", 0, "how long faults come at random; 0: a taste of it")
	kills = flag.Int("kills", 12, "how often agents are killed")
	seed  = flag.Uint64("seed", 1, "of what is random; 0: another each time")
	out   = flag.String("out", "", "where the results of a soak go; empty: nowhere")
)

// powerSwitch makes this test binary the switch of a modem's power: cures.power_cycle runs it with the modem's URL behind.
const powerSwitch = "switch-power"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == powerSwitch {
		resp, err := http.Post(os.Args[2]+"/reset", "", nil)
		if err != nil || resp.StatusCode != http.StatusNoContent {
			fmt.Fprintln(os.Stderr, "switching the power:", resp, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	goleak.VerifyTestMain(suite{m})
}

// suite removes what the tests built.
type suite struct{ *testing.M }

func (s suite) Run() int {
	code := s.M.Run()
	if path, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	return code
}

// within gives a context that ends with the test, or when patience does.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("not within %s", patience))
	t.Cleanup(cancel)
	return ctx
}
