package main

import (
	"testing"

	"minato/testbench/access"
)

// TestStatusOfProblems holds README's exit statuses: 3 what could not be reached, 4 what is not allowed, 1 the rest.
func TestStatusOfProblems(t *testing.T) {
	for code, want := range map[string]int{
		"R09": exitUnreachable, "R11": exitUnreachable, "R37": exitUnreachable, access.RelayUnreachable: exitUnreachable,
		"R12": exitNotAllowed, "R38": exitNotAllowed, access.KeyRefused: exitNotAllowed,
		"R01": exitFailed, "MNT0005": exitFailed,
	} {
		if got := statusOf(&access.Problem{Code: code}); got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
	}
}
