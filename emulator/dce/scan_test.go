package dce

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScanner(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       []invocation
		wantErr    bool
	}{
		{"empty", "", nil, false},
		{"basic", "E0V1", []invocation{{name: "E"}, {name: "V", num: 1}}, false},
		{"spaces and lower case", " q0 v1  &c1 s0 = 0", []invocation{{name: "Q"}, {name: "V", num: 1}, {name: "&C", num: 1}, {name: "S", form: formSet, text: "0"}}, false},
		{"basic, then extended", "E0+CMEE=1", []invocation{{name: "E"}, {name: "+CMEE", form: formSet, text: "1"}}, false},
		{"semicolons", "I;+CSUB;+CPIN?;E0", []invocation{{name: "I"}, {name: "+CSUB"}, {name: "+CPIN", form: formRead}, {name: "E"}}, false},
		{"test form", "+cgdcont=?", []invocation{{name: "+CGDCONT", form: formTest}}, false},
		{"semicolon in a string", `+CGDCONT=1,"IP","a;b";+CGACT?`, []invocation{{name: "+CGDCONT", form: formSet, text: `1,"IP","a;b"`}, {name: "+CGACT", form: formRead}}, false},
		{"dial takes the rest", "E0D*99***1#", []invocation{{name: "E"}, {name: "D", text: "*99***1#"}}, false},
		{"register", "S3?", []invocation{{name: "S", num: 3, form: formRead}}, false},
		{"other signs", "*CNTI=2", []invocation{{name: "*CNTI", form: formSet, text: "2"}}, false},
		{"mistake behind a command", "E0!", []invocation{{name: "E"}}, true},
		{"open quote", `+CPIN="1`, nil, true},
		{"register without number", "S=1", nil, true},
		{"huge number", "E99999999999999", nil, true},
		{"digit first", "1", nil, true},
		{"ampersand alone", "&", nil, true},
		{"question in the middle", "+CREG?1", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []invocation
			s := scanner{rest: tt.line}
			for {
				inv, more, err := s.next()
				if (err != nil) && !tt.wantErr {
					t.Fatal(err)
				}
				if err != nil {
					break
				}
				if !more {
					if tt.wantErr {
						t.Error("no error")
					}
					break
				}
				got = append(got, inv)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(invocation{})); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSplitArgs(t *testing.T) {
	str := func(s string) arg { return arg{text: s, quoted: true, given: true} }
	num := func(s string) arg { return arg{text: s, given: true} }
	for _, tt := range []struct {
		name, text string
		want       args
		wantErr    bool
	}{
		{"numbers", "1,2", args{num("1"), num("2")}, false},
		{"left out", "1,,", args{num("1"), {}, {}}, false},
		{"strings", `1, "IP" ,"a,b"`, args{num("1"), str("IP"), str("a,b")}, false},
		{"no escapes", `"so\22ra","\3b"`, args{str(`so\22ra`), str(`\3b`)}, false},
		{"empty string", `""`, args{str("")}, false},
		{"nothing", "", args{{}}, false},
		{"junk behind a string", `"a"b`, nil, true},
		{"quote inside", `a"b"`, nil, true},
		{"open", `"a`, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := splitArgs(tt.text)
			if (err != nil) != tt.wantErr {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(arg{})); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
		})
	}
}
