package core

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseShape(t *testing.T) {
	cat1, _ := NamedShape("cat1")
	lossy := cat1
	lossy.Up.Loss, lossy.Down.Loss = 0.01, 0.01
	tests := []struct {
		text string
		want Shape
		err  string
	}{
		{"none", Shape{}, ""},
		{"CAT1", cat1, ""},
		{"cat1,loss=1%", lossy, ""},
		{"up.rate=1.5M,down.rate=64000,latency=40ms,down.jitter=10ms,up.loss=0.5", Shape{
			Up:   Line{Rate: 1_500_000, Latency: 40 * time.Millisecond, Loss: 0.5},
			Down: Line{Rate: 64_000, Latency: 40 * time.Millisecond, Jitter: 10 * time.Millisecond},
		}, ""},
		{"", Shape{}, `shape "": "" is not none, cat1, cat4, catM1, nb1, or KEY=VALUE`},
		{"loss=1%,cat1", Shape{}, `shape "loss=1%,cat1": "cat1" is not none, cat1, cat4, catM1, nb1, or KEY=VALUE`},
		{"speed=1", Shape{}, `shape "speed=1": key "speed": want rate, latency, jitter or loss, with or without up. or down. before it`},
		{"up.rate=fast", Shape{}, `shape "up.rate=fast": up.rate: "fast": want bits a second, as 5000000, 5000k or 5M, at most 100G`},
		{"rate=101G", Shape{}, `shape "rate=101G": rate: "101G": want bits a second, as 5000000, 5000k or 5M, at most 100G`},
		{"rate=NaN", Shape{}, `shape "rate=NaN": rate: "NaN": want bits a second, as 5000000, 5000k or 5M, at most 100G`},
		{"rate=0", Shape{}, `shape "rate=0": rate: "0": a rate of 0 lets nothing pass: leave rate out for no limit`},
		{"cat1,up.rate=0.4", Shape{}, `shape "cat1,up.rate=0.4": up.rate: "0.4": a rate of 0 lets nothing pass: leave rate out for no limit`},
		{"rate=1", Shape{}, `shape "rate=1": up: rate 1: want 0 or 100 to 100000000000 bit/s`},
		{"loss=101%", Shape{}, `shape "loss=101%": loss: "101%": want 0 to 1, or 0% to 100%`},
		{"latency=1", Shape{}, `shape "latency=1": latency: time: missing unit in duration "1"`},
		{"latency=2m", Shape{}, `shape "latency=2m": up: latency 2m0s: want 0 to 1m0s`},
		{"down.jitter=1ms", Shape{}, `shape "down.jitter=1ms": down: jitter 1ms: want 0 to the latency, 0s`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := ParseShape(tt.text)
			if again, err := ParseShape(got.String()); err != nil || again != got {
				t.Errorf("written as %q it is %+v, %v", got, again, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("shape (-want +got):\n%s", diff)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || err.Error() != tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

func FuzzParseShape(f *testing.F) {
	f.Add("cat1,loss=1%")
	f.Add("up.rate=5M,down.rate=10M,latency=40ms,jitter=10ms,down.loss=0.01")
	f.Fuzz(func(t *testing.T, text string) {
		shape, err := ParseShape(text)
		if err != nil && shape != (Shape{}) {
			t.Fatalf("%+v with %v", shape, err)
		}
		if err := shape.validate(); err != nil {
			t.Fatal(err)
		}
		if again, err := ParseShape(shape.String()); err != nil || again != shape {
			t.Fatalf("%q became %q, %+v, %v", text, shape, again, err)
		}
	})
}
