package agent

import (
	"strings"
	"testing"
)

// A radio that somebody left off is switched on; a modem that does not tell is waited for.
func TestRadioIsSwitchedOn(t *testing.T) {
	for _, tt := range []struct {
		name, says string
		on         bool
	}{
		{"off", "+CFUN: 4|OK", true},
		{"minimal, with a second value", "+CFUN: 0,0|OK", true},
		{"on", "+CFUN: 1|OK", false},
		{"not told", "ERROR", false},
		{"nonsense", "+CFUN: full|OK", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeModem(t, map[string]string{"+CEREG?": "+CEREG: 3,2|OK", "+CFUN?": tt.says, "+CFUN=1": "OK"})
			start(t, config(f.path, "127.0.0.1:9"))
			await(t, func() bool { return f.count("+CGDCONT=1,\"IP\",\"soracom.io\"") > 0 }) // which comes after it
			if got := f.count("+CFUN=1") > 0; got != tt.on {
				t.Errorf("switched on: %v; sent %s", got, strings.Join(f.commands(), " "))
			}
		})
	}
}
