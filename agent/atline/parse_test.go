package atline

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func lines(s *splitter, chunks ...[]byte) []string {
	var out []string
	for _, p := range chunks {
		for len(p) > 0 {
			line, rest, ok := s.next(p)
			if p = rest; ok {
				out = append(out, string(line))
			}
		}
	}
	return out
}

func TestSplitter(t *testing.T) {
	tests := []struct {
		in   string
		want []string
	}{
		{"\r\nOK\r\n", []string{"", "OK"}},
		{"ATI\r\r\nQuectel\r\n", []string{"ATI", "", "Quectel"}},
		{"a\nb\r\nc\rd", []string{"a", "b", "c"}},
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, lines(&splitter{}, []byte(tt.in))); d != "" {
			t.Errorf("%q (-want +got):\n%s", tt.in, d)
		}
	}
}

// Where the stream is cut changes nothing, and nothing makes the splitter hold more than one line.
func FuzzSplitter(f *testing.F) {
	f.Add([]byte("ATI\r\r\nQuectel\r\n\r\nOK\r\n"), 5)
	f.Add(bytes.Repeat([]byte("U"), 2*maxLine), maxLine)
	f.Add([]byte("\r\nCONNECT\r\n~\xff}#\xc0!"), 11)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		if cut < 0 || cut > len(in) {
			cut = len(in) / 2
		}
		var one, two splitter
		want := lines(&one, in)
		if d := cmp.Diff(want, lines(&two, in[:cut], in[cut:])); d != "" {
			t.Errorf("(-whole +cut):\n%s", d)
		}
		if cap(two.buf) > 4*maxLine {
			t.Errorf("the buffer grew to %d bytes", cap(two.buf))
		}
	})
}

// Any command line and any reply: no panic, and a line has one owner.
func FuzzClassify(f *testing.F) {
	f.Add("+CEREG?", "+CEREG: 2,1, 1F00, 79D903 ,7")
	f.Add("E0V1;+CGDCONT=1,\"IP\",\"a;b\";&C1", "+CREG: 5")
	f.Add("D*99***1#", "CONNECT 150000000")
	f.Fuzz(func(t *testing.T, cmd, line string) {
		p := newPending(cmd, isDial(cmd))
		p.takes(line)
		p.takes(line)
		parseResult(line)
		Redact(cmd)
		isNoise(trim([]byte(line)))
	})
}

func TestRedact(t *testing.T) {
	tests := []struct{ in, want string }{
		{`+CPIN="1234"`, `+CPIN=***`},
		{`+CPIN?`, `+CPIN?`},
		{`+CPIN: SIM PIN`, `+CPIN: SIM PIN`},
		{`+CPIN2=1234`, `+CPIN2=***`},
		{`+CPINR="SIM PIN"`, `+CPINR="SIM PIN"`},
		{`+CGAUTH=1,2,"sora","secret"`, `+CGAUTH=1,2,***`},
		{`+CGAUTH: 1,2,"sora","secret"`, `+CGAUTH: 1,2,***`},
		{`+CLCK="SC",1,"1234"`, `+CLCK="SC",1,***`},
		{`+CPWD="SC","1234","5678"`, `+CPWD="SC",***`},
		{`+CGAUTH=1,1,"u","p";+CPIN="1234"`, `+CGAUTH=1,1,***;+CPIN=***`},
		{`+CGDCONT=1,"IP","soracom.io"`, `+CGDCONT=1,"IP","soracom.io"`},
		{`+CNCFG=0,1,"apn","u","p",2`, `+CNCFG=0,1,"apn",***`},
		{`^NDISDUP=1,1,"apn","u","p",2`, `^NDISDUP=1,1,"apn",***`}, {`^NDISDUP=1,0`, `^NDISDUP=1,0`},
		{`+CPIN ="1234"`, `+CPIN =***`}, {`+CGAUTH  =1,2,"u","p"`, `+CGAUTH  =1,2,***`}, {`+CPIN =?`, `+CPIN =?`},
		{`+UPSD=0,3,"secret"`, `+UPSD=0,3,***`}, {`+XGAUTH=1,1,"u","secret"`, `+XGAUTH=1,1,***`}, {`+CSTT="apn","u","secret"`, `+CSTT="apn",***`},
		{`+SAPBR=3,1,"PWD","secret"`, `+SAPBR=3,1,"PWD",***`}, {`+QMTCONN=0,"id","u","secret"`, `+QMTCONN=0,"id",***`}, {`+QFTPCFG="account","u","secret"`, `+QFTPCFG="account",***`},
		{"A" + strings.Repeat("\xfe", 20) + "+CPIN: READY", "A" + strings.Repeat("\xfe", 20) + "+CPIN: READY"},
		{strings.Repeat("\xfe", 20) + `+cpin="1234"`, strings.Repeat("\xfe", 20) + "+cpin=***"},
	}
	for _, tt := range tests {
		if got := Redact(tt.in); got != tt.want {
			t.Errorf("Redact(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
