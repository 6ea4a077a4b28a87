package agent

import (
	"encoding/json"
	"regexp"
	"testing"

	"minato/agent/modem"
	"minato/agent/ppp"
)

// TestStatusNames: programs find every field of the status under a name of one form.
func TestStatusNames(t *testing.T) {
	rssi := -70
	b, err := json.Marshal(Status{
		Failure: &FailureStatus{}, Modem: &modem.Identity{}, Signal: &modem.Signal{RSSI: &rssi}, SignalHistory: []SignalSample{{}},
		PPP: &ppp.Stats{}, Probe: &ProbeStatus{}, Services: []ServiceStatus{{}}, Forwards: []GatewayStatus{{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`"([^"]*)":`).FindAllSubmatch(b, -1) {
		if !regexp.MustCompile(`^[a-z0-9_]+$`).Match(name[1]) {
			t.Errorf("field %q", name[1])
		}
	}
}
