package relay

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"minato/relay/relayapi"
)

// JSON has one kind of number: a whole one is whole in each way to write it (RFC 8259 section 6).
func TestWholeNumbers(t *testing.T) {
	r := startRelay(t, Config{})
	for _, tt := range []struct {
		port, duration string
		seconds        int    // 0: refused
		says           string // of the refusal
	}{
		{"80", "1800", 1800, ""},
		{"80.0", "1800.0", 1800, ""},
		{"8e1", "1.8e3", 1800, ""},
		{"0.8E+2", "180000e-2", 1800, ""},
		{"80", "1800.5", 0, "duration is a number 1800.5: allowed is a whole number"},
		{"80.5", "1800.0", 0, "destination.port is a number 80.5: allowed is a whole number"},
		{"80", "2.8801e4", 0, "duration 28801 is not allowed"},
		{"80", "-1.0", 0, "duration -1 is not allowed"},
		{"80", "1e400", 0, "duration is a number 1e400: allowed is a whole number"},
		{`"80.0"`, "1800", 0, "destination.port is a string"},
	} {
		body := `{"destination":{"port":` + tt.port + `,"simId":"` + simA + `"},"duration":` + tt.duration + `}`
		status, answer, _ := r.request("POST", "/v1/port_mappings", body, nil)
		var got struct {
			relayapi.PortMapping
			Message string `json:"message"`
		}
		if err := json.Unmarshal([]byte(answer), &got); err != nil {
			t.Fatal(err)
		}
		if tt.seconds != 0 && (status != http.StatusCreated || got.Duration != tt.seconds || got.Destination.Port != 80) {
			t.Errorf("%s: %d %s", body, status, answer)
		}
		if tt.seconds == 0 && (status != http.StatusBadRequest || !strings.Contains(got.Message, tt.says)) {
			t.Errorf("%s: %d %s; want 400 and %q", body, status, answer, tt.says)
		}
	}
	got := string(wholeNumbers([]byte(`{"a":"1.0\"2.0","b":[1.0,-0.0,1.5,1e2],"c":{"1e1":9007199254740993.0},"d":true}`)))
	if want := `{"a":"1.0\"2.0","b":[1,0,1.5,100],"c":{"1e1":9007199254740993.0},"d":true}`; got != want {
		t.Errorf("wholeNumbers: %s\nwant %s", got, want)
	}
}
