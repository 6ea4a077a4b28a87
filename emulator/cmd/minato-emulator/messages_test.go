package main

import (
	"context"
	"io"
	"regexp"
	"strings"
	"testing"
)

func TestSIMs(t *testing.T) {
	dir, control := t.TempDir(), freePort(t)
	ctx, cancel := context.WithCancel(context.Background())
	out := &output{more: make(chan struct{}, 1)}
	ended := make(chan int, 1)
	go func() {
		ended <- execute(ctx, []string{"run", "--dir", dir, "--control", control, "--socks", freePort(t), "--log-level", "error"}, out, io.Discard)
	}()
	defer func() {
		cancel()
		if status := <-ended; status != 0 {
			t.Errorf("run ended with %d", status)
		}
	}()
	out.await(t, `(?m)^modem0 .*`+regexp.QuoteMeta(dir)+`.*\n`)
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		want   string // on stdout, or of stderr when the status is not 0
	}{
		{"send", []string{"sim", "sms", "8981100000000000002", "--from", "SORACOM", "open the valve"}, 0, ""},
		{"no sender", []string{"sim", "sms", "8981100000000000002", "x"}, 2, "--from"},
		{"bad sender", []string{"sim", "sms", "8981100000000000002", "--from", "a name too long", "x"}, 2, "1 to 11 characters"},
		{"no SIM", []string{"sim", "sms", "1", "--from", "1", "x"}, 2, `there is no SIM "1"`},
		{"link", []string{"sim", "shape", "8981100000000000002"}, 0, "none\n"},
		{"slow link", []string{"sim", "shape", "8981100000000000002", "cat1,up.loss=1%"}, 0, ""},
		{"slow link is shown", []string{"sim", "shape", "440101234567890"}, 0, "up.rate=5000000,up.latency=25ms,up.loss=0.01,down.rate=10000000,down.latency=25ms\n"},
		{"bad link", []string{"sim", "shape", "8981100000000000002", "fast"}, 2, `"fast" is not none, cat1, cat4, catM1, nb1, or KEY=VALUE`},
		{"none sent", []string{"sim", "sent", "8981100000000000002"}, 0, "AT  TO  PARTS  TEXT\n"},
		{"none sent, for programs", []string{"sim", "sent", "440101234567890", "--json"}, 0, "[]\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := once(append(tt.args, "--control", control)...)
			text := stdout
			if status != 0 {
				text = stderr
			}
			if status != tt.status || !strings.Contains(text, tt.want) {
				t.Errorf("status %d, %q%q; want %d, %q", status, stdout, stderr, tt.status, tt.want)
			}
		})
	}
}
