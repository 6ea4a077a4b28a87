package ppp

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTransitions holds all 160 cells against the table as RFC 1661 section 4.1 prints it.
func TestTransitions(t *testing.T) {
	text, err := os.ReadFile("testdata/rfc1661-table.txt")
	if err != nil {
		t.Fatal(err)
	}
	cells, first := 0, Initial
	for line := range strings.Lines(string(text)) {
		head, row, ok := strings.Cut(strings.TrimRight(line, "\n"), "|")
		name, fields := strings.TrimSpace(head), strings.Fields(row)
		if !ok || name == "" {
			if ok && len(fields) > 0 && fields[0] == "6" {
				first = ReqSent
			}
			continue
		}
		if name == "Events" {
			continue
		}
		event := Up
		for event < RXR && event.String() != name {
			event++
		}
		if event.String() != name {
			t.Fatalf("no event %q", name)
		}
		for i, want := range fields {
			cells++
			state := first + State(i)
			// r, p and x mark options that need not be taken.
			if got := cell(state, event); got != strings.TrimRight(want, "rpx") {
				t.Errorf("%v in %v: %s, want %s", event, state, got, want)
			}
		}
	}
	if cells != 160 {
		t.Errorf("%d cells were compared, want 160", cells)
	}
}

// cell prints a transition as the RFC does.
func cell(s State, e Event) string {
	next, actions, err := step(s, e)
	if err != nil {
		return "-"
	}
	if len(actions) == 0 {
		return strconv.Itoa(int(next))
	}
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = a.String()
	}
	return strings.Join(names, ",") + "/" + strconv.Itoa(int(next))
}

func TestImpossibleEvent(t *testing.T) {
	next, actions, err := step(Opened, Up)
	want := "event Up cannot happen in state Opened"
	if err == nil || err.Error() != want || next != Opened || actions != nil {
		t.Errorf("step: %v, %v, %v", next, actions, err)
	}
}

func TestNames(t *testing.T) {
	got := []string{
		ProtoLCP.String(), Protocol(0x1234).String(), ConfigureNak.String(), Code(12).String(), AckRcvd.String(), TOMinus.String(),
		AuthNone.String(), AuthPAP.String(), AuthCHAP.String(),
	}
	want := []string{"LCP", "protocol 0x1234", "Configure-Nak", "code 12", "Ack-Rcvd", "TO-", "none", "PAP", "CHAP"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
