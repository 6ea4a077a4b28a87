package relay

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// A relay whose store is lost says so, and ends with an error, so that what started it starts it again.
func TestStoreLost(t *testing.T) {
	r, err := New(Config{Dir: t.TempDir(), API: "127.0.0.1:0", Metrics: "127.0.0.1:0", Directory: testSIMs, Network: device(t, echo), DrainTimeout: -1})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Run(context.WithoutCancel(t.Context())) }()
	select {
	case <-r.Ready():
	case err := <-ended:
		t.Fatal(err)
	}
	r.store.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, nats.ErrConnectionClosed) || !strings.Contains(err.Error(), "the connection to NATS has ended") {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the relay goes on without its store")
	}
	if answer, err := r.getHealth(parseCall(t, "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil || !strings.Contains(toJSON(t, answer), `{"status":"degraded","problems":[{"part":"store"`) {
		t.Errorf("health %+v, %v", answer, err)
	}
}
