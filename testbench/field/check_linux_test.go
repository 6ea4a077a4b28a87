package field_test

import (
	"strings"
	"testing"

	"minato/testbench/report"
)

// TestAllIsWell: every protocol, nothing broken.
func TestAllIsWell(t *testing.T) {
	t.Parallel()
	e := world(t, nil)
	u := of(t, e)
	u.services = "vnc,modbus,http,https,ssh"
	run, err := u.check(t, 0).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range run.Results {
		if r.Status != report.Pass {
			t.Errorf("%s: %s %s %s", r.Name, r.Status, r.Code, r.Err)
		}
		if v := r.Values; (r.Name == "line") != (v["round_trip_ms"] > 0 && v["asked"] > 0 && v["down_bit_per_s"] > 0 && v["up_bit_per_s"] > 0) {
			t.Errorf("%s: values %v", r.Name, v)
		}
		for _, line := range r.Log {
			if strings.HasPrefix(line.Text, "failed") {
				t.Errorf("%s is well, and its log says %q", r.Name, line.Text)
			}
		}
	}
	text := screen(run)
	for _, want := range []string{"RFB 003.008", "holding register 0", "HTTP/1.1 200", "SSH-2.0-", "round trip", "bit/s down", "bit/s up", "http R03, modbus R04, ssh R01, vnc R06"} {
		if !strings.Contains(text, want) {
			t.Errorf("the screen does not say %q:\n%s", want, text)
		}
	}
	expectNoMapping(t, u, nil)
}
