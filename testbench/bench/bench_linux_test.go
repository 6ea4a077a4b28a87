package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minato/testbench/env"
)

// TestRun: every peer, with the configuration that stands here, carries every load, and the results can be written. What the figures are decides
// nothing.
func TestRun(t *testing.T) {
	root, err := env.Root()
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), Config{
		Bin: filepath.Join(root, "bin"), Dir: t.TempDir(), Rounds: 1,
		load: load{bytes: 4 << 20, connections: 20, idle: 20, trips: 100, settling: 10 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	peers := map[string]int{"TLS 1.3, device to client": 4, "option OFF, client to device": 3, "TLS 1.3 connection, X25519MLKEM768": 1, "added latency, p99": 4}
	for _, f := range r.Figures {
		if want, ok := peers[f.Name]; ok && len(f.Medians) != want {
			t.Errorf("%s: of %d peers, want %d", f.Name, len(f.Medians), want)
		}
	}
	if want := 9; len(r.Figures) != want {
		t.Errorf("%d figures, want %d", len(r.Figures), want)
	}
	var table, chart, all bytes.Buffer
	if err := errors.Join(WriteTable(&table, r), WriteChart(&chart, r), WriteJSON(&all, r)); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(&chart); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("the chart is no XML: %v", err)
		}
	}
	if !json.Valid(all.Bytes()) || !strings.Contains(table.String(), "option OFF, device to client") {
		t.Errorf("table:\n%s\nJSON: %s", &table, &all)
	}
}

func TestCompare(t *testing.T) {
	values := map[string][]float64{"relay": {3, 1, 2}, "haproxy": {4, 4, 5}, "nginx": {8, 10, 9}}
	for _, tt := range []struct {
		against string
		want    string
		ratio   float64
	}{{bestPeer, "haproxy", 0.5}, {"nginx", "nginx", 2.0 / 9}} {
		c := compare(figure{name: "x", limit: 0.4, against: tt.against}, values)
		if c.Against != tt.want || c.Ratio != tt.ratio || c.Holds() != (tt.ratio <= 0.4) {
			t.Errorf("against %s: %+v", tt.against, c)
		}
	}
}
