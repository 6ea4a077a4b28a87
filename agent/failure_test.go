package agent

import (
	"errors"
	"strings"
	"testing"
)

func TestCauseCode(t *testing.T) {
	tests := []struct {
		text string
		want Code
	}{
		{"", NoAddress}, {"No cause information available", NoAddress}, {"Normal call clearing", NoAddress},
		{"Missing or unknown APN, cause 27", NoContext}, {"ESM cause 29", PPPAuth}, {"User authentication failed", PPPAuth},
		{"SM: requested service option not subscribed", NoContext}, {"cause 8", NoContext}, {"cause 81: invalid transaction", NoAddress},
		{"cause 99999999999999999999", NoAddress}, {"cause ", NoAddress},
	}
	for _, tt := range tests {
		f := &Failure{Code: NoAddress, Err: errors.New("the modem reports NO CARRIER")}
		causeCode(f, tt.text)
		if f.Code != tt.want || !strings.Contains(f.Error(), "NO CARRIER") {
			t.Errorf("%q: %v, want %s", tt.text, f, tt.want)
		}
	}
}
