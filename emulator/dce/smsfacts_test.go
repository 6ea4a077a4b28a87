package dce

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSMSFacts(t *testing.T) {
	good := func() *SMSFacts { f := plainSMS; return &f }
	if err := good().validate(); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*SMSFacts)
		want   string
	}{
		{"unknown storage", func(f *SMSFacts) { f.Storages = []Storage{{"TA", 1, SourceManual}} }, `sms.storages "TA": SM, ME and SR are allowed`},
		{"storage twice", func(f *SMSFacts) { f.Storages = []Storage{{"SM", 1, SourceManual}, {"SM", 1, SourceManual}} }, "each once"},
		{"size", func(f *SMSFacts) { f.Storages = []Storage{{"SM", 0, SourceManual}} }, "1 to 1000"},
		{"no SM", func(f *SMSFacts) { f.Storages = []Storage{{"ME", 1, SourceManual}} }, "SM must be there"},
		{"default", func(f *SMSFacts) { f.Default.Value = "SR" }, "must be SM or ME"},
		{"receive", func(f *SMSFacts) { f.Receive.Value = []string{"ME", "SR"} }, `sms.receive "SR": must be MT, SM or ME`},
		{"default that does not receive", func(f *SMSFacts) { f.Receive.Value = []string{"SM"} }, "sms.default must be one of them"},
		{"reports' name", func(f *SMSFacts) { f.Reports.Value = "TA" }, `sms.cdsi "TA"`},
		{"first", func(f *SMSFacts) { f.First.Value = 2 }, "0 and 1"},
		{"lists", func(f *SMSFacts) { f.Routing.Value = "(0-2),(0-3)" }, "five lists"},
		{"reports", func(f *SMSFacts) { f.Storages = []Storage{{"SM", 1, SourceManual}, {"ME", 1, SourceManual}} }, "needs a storage SR"},
	} {
		f := good()
		tt.change(f)
		if err := f.validate(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestParseRanges(t *testing.T) {
	got, err := parseRanges("(0-2),(0,2,3-4),(1)")
	if diff := cmp.Diff([][]int{{0, 1, 2}, {0, 2, 3, 4}, {1}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, s := range []string{"()", "(1", "1)", "(2-1)", "(a)", "(1-)", "(999)", "(0-1)x"} {
		if got, err := parseRanges(s); err == nil {
			t.Errorf("%s: %v", s, got)
		}
	}
}
