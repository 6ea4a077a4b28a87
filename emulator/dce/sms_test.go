package dce

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"minato/emulator/sms"
)

const ownNumber = "+812000000000" // goodSIM's

func newCentre(t testing.TB) *sms.Centre {
	t.Helper()
	c, err := sms.NewCentre(sms.CentreConfig{Subscribers: []sms.Subscriber{{IMSI: goodIMSI, MSISDN: goodSIM.MSISDN}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// messageUser is a user of a modem whose SIM can exchange messages, with itself at least; errors are told by number.
func messageUser(t *testing.T, change func(*Config)) (*bench, *user) {
	t.Helper()
	b := newBench(t, func(c *Config) {
		c.Centre = newCentre(t)
		if change != nil {
			change(c)
		}
	})
	return b, b.ready("at")
}

// arrives sends a text from outside to the modem.
func (b *bench) arrives(text string) {
	b.t.Helper()
	if _, err := b.centre.Send(goodIMSI, "SORACOM", text); err != nil {
		b.t.Fatal(err)
	}
}

// sent gives the texts that the modem's SIM sent.
func (b *bench) sent() []string {
	list, _ := b.centre.Sent(goodIMSI)
	var texts []string
	for _, m := range list {
		texts = append(texts, m.To+" "+m.Text)
	}
	return texts
}

func ok(text string) string { return "\r\n" + text + "\r\n\r\nOK\r\n" }

func cmsIs(n string) string { return "\r\n+CMS ERROR: " + n + "\r\n" }

const done = "\r\nOK\r\n"

// TestMessageSettings asks as ModemManager and gammu do, and then what they do not ask.
func TestMessageSettings(t *testing.T) {
	_, u := messageUser(t, nil)
	for _, tt := range [][2]string{
		{"AT+CMGF=?", ok("+CMGF: (0,1)")}, {"AT+CMGF?", ok("+CMGF: 0")}, {"AT+CMGF=0", done}, {"AT+CMGF=2", cmsIs("302")}, {"AT+CMGF", "\r\nERROR\r\n"},
		{"AT+CSMS=?", ok("+CSMS: (0,1)")}, {"AT+CSMS?", ok("+CSMS: 0,1,1,1")}, {"AT+CSMS=1", ok("+CSMS: 1,1,1")}, {"AT+CSMS?", ok("+CSMS: 1,1,1,1")}, {"AT+CSMS=0", ok("+CSMS: 1,1,1")}, {"AT+CSMS=2", cmsIs("303")},
		{"AT+CPMS=?", ok(`+CPMS: ("ME","MT","SM","SR"),("ME","MT","SM"),("ME","MT","SM")`)},
		{"AT+CPMS?", ok(`+CPMS: "ME",0,255,"ME",0,255,"ME",0,255`)},
		{`AT+CPMS="SM","SM","SM"`, ok("+CPMS: 0,50,0,50,0,50")}, {`AT+CPMS="MT"`, ok("+CPMS: 0,255,0,50,0,50")}, {`AT+CPMS="SR","ME"`, ok("+CPMS: 0,50,0,255,0,50")},
		{"AT+CPMS?", ok(`+CPMS: "SR",0,50,"ME",0,255,"SM",0,50`)}, {`AT+CPMS="SM","SR"`, cmsIs("302")}, {`AT+CPMS="XX"`, cmsIs("302")}, {`AT+CPMS="SM",,,`, cmsIs("302")},
		{"AT+CSCA=?", done}, {"AT+CSCA?", ok(`+CSCA: "+819000000001",145`)}, {`AT+CSCA="0901234"`, done}, {"AT+CSCA?", ok(`+CSCA: "0901234",129`)},
		{`AT+CSCA="8190",145`, done}, {"AT+CSCA?", ok(`+CSCA: "+8190",145`)}, {`AT+CSCA=""`, cmsIs("302")}, {`AT+CSCA="x"`, cmsIs("302")},
		{`AT+CSCA="1",208`, cmsIs("302")}, {`AT+CSCA="1",1`, cmsIs("302")},
		{"AT+CSMP=?", done}, {"AT+CSMP?", ok("+CSMP: 17,167,0,0")}, {"AT+CSMP=49,,0,8", done}, {"AT+CSMP?", ok("+CSMP: 49,167,0,8")}, {"AT+CSMP=16", cmsIs("305")},
		{`AT+CSMP=25,"26/11/22,10:30:00+36"`, done}, {"AT+CSMP?", ok(`+CSMP: 25,"26/11/22,10:30:00+36",0,8`)}, {"AT+CSMP=17,255,0,0", done}, {`AT+CSMP=17,"26/11/22,10:30:00+36"`, cmsIs("305")},
		{"AT+CSMP=25,1", cmsIs("305")}, {`AT+CSMP=25,"26/13/22,10:30:00+36"`, cmsIs("305")}, {"AT+CSMP=9", cmsIs("305")}, {"AT+CSMP=1", done}, {"AT+CSMP?", ok("+CSMP: 1,,0,0")},
		{"AT+CSDH=?", ok("+CSDH: (0,1)")}, {"AT+CSDH?", ok("+CSDH: 0")}, {"AT+CSDH=1", done}, {"AT+CSDH=2", cmsIs("302")},
		{"AT+CNMI=?", ok("+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)")}, {"AT+CNMI?", ok("+CNMI: 2,1,0,0,0")}, {"AT+CNMI=2,1,2,1,0", done}, {"AT+CNMI?", ok("+CNMI: 2,1,2,1,0")},
		{"AT+CNMI=1,,0", done}, {"AT+CNMI?", ok("+CNMI: 1,1,0,1,0")}, {"AT+CNMI=3", cmsIs("303")}, {"AT+CNMI=2,1,1", cmsIs("303")}, {"AT+CNMI=2,1,0,0,0,0", cmsIs("303")}, {`AT+CNMI="2"`, cmsIs("303")},
		{"AT+CNMA=?", ok("+CNMA: (0-2)")}, {"AT+CNMA", cmsIs("340")}, {"AT+CNMA=1", cmsIs("340")}, {"AT+CNMA=3", cmsIs("302")},
		{"AT+CMMS=?", ok("+CMMS: (0-2)")}, {"AT+CMMS=2", done},
		{"AT+CMGL=?", ok("+CMGL: (0-4)")}, {"AT+CMGL", done}, {"AT+CMGL=4", done}, {"AT+CMGL=5", cmsIs("304")}, {`AT+CMGL="ALL"`, cmsIs("304")}, {"AT+CMGL=1,1", cmsIs("304")},
		{"AT+CMGR=?", done}, {"AT+CMGR=0", done}, {"AT+CMGR=49", done}, {"AT+CMGR=50", cmsIs("321")}, {"AT+CMGR=0,1", cmsIs("321")}, {"AT+CMGR=x", cmsIs("321")},
		{`AT+CPMS="SM"`, ok("+CPMS: 0,50,0,255,0,50")}, {"AT+CMGD=?", ok("+CMGD: (0-49),(0-4)")}, {"AT+CMGD=0", done}, {"AT+CMGD=50", cmsIs("321")}, {"AT+CMGD=1,5", cmsIs("321")}, {"AT+CMGD=99,4", done},
		{"AT+CMSS=?", done}, {"AT+CMSS=0", cmsIs("321")}, {"AT+CMGC=?", cmsIs("303")}, {"AT+CMGC=1", cmsIs("303")}, {"AT+CMGC", cmsIs("303")},
		{"AT+CMGS=?", done}, {"AT+CMGS=", cmsIs("304")}, {`AT+CMGS="+1"`, cmsIs("304")}, {"AT+CMGS=177", cmsIs("304")}, {"AT+CMGW=?", done}, {"AT+CMGW=1,4", cmsIs("304")},
		{"AT+CMGF=1", done}, {"AT+CMGL=?", ok(`+CMGL: ("REC UNREAD","REC READ","STO UNSENT","STO SENT","ALL")`)}, {`AT+CMGL="ALL"`, done}, {"AT+CMGL=4", cmsIs("305")},
		{"AT+CMGS=10", "\r\n> "}, {"\x1b", done}, {"AT+CMGS=", cmsIs("305")}, {`AT+CMGS="x"`, cmsIs("305")}, {`AT+CMGW="1",129,"OLD"`, cmsIs("305")}, {"AT+CNMA=?", done}, {"AT+CNMA=0", cmsIs("302")},
		{"AT+CMEE=2;+CMGR=255", "\r\n+CMS ERROR: invalid memory index\r\n"}, {"AT+CMEE=0;+CMGR=255", "\r\nERROR\r\n"},
	} {
		if tt[0] == "\x1b" {
			u.send(tt[0])
			if got := u.await(tt[1]); got != tt[1] {
				t.Errorf("ESC gave %q", got)
			}
			continue
		}
		u.expect(tt[0], tt[1])
	}
}

// enter gives a command its text. want is all that comes after the prompt.
func (u *user) enter(command, text, want string) {
	u.t.Helper()
	u.expect(command, "\r\n> ")
	u.send(text)
	if got := u.await(want); got != want {
		u.t.Errorf("%s with %q gave %q, want %q", command, text, got, want)
	}
}

// sendSelf sends a PDU to the modem itself. What the message brings about may come before the command's result or behind it; all of
// it is returned.
func (u *user) sendSelf(pdu string, reference int, brings ...string) string {
	u.t.Helper()
	u.expect("AT+CMGS=19", "\r\n> ")
	u.send("00" + pdu + "\x1a")
	return u.awaitAll(append(brings, fmt.Sprintf(`\+CMGS: %d\r\n\r\nOK`, reference))...)
}

// awaitAll waits for results that may come in any order, each a pattern, and gives all that came.
func (u *user) awaitAll(patterns ...string) string {
	u.t.Helper()
	var wants []*regexp.Regexp
	for _, p := range patterns {
		wants = append(wants, regexp.MustCompile(`\r\n`+p+`\r\n`))
	}
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		u.mu.Lock()
		have := string(u.got)
		missing := slices.ContainsFunc(wants, func(r *regexp.Regexp) bool { return !r.MatchString(have) })
		if !missing {
			u.got = nil
		}
		u.mu.Unlock()
		if !missing {
			return have
		}
		select {
		case <-u.more:
		case <-deadline.C:
			u.t.Fatalf("waiting for %v: there is %q", wants, have)
		}
	}
}

func TestTextMode(t *testing.T) {
	b, u := messageUser(t, nil)
	u.expect("AT+CMGF=1;+CSCS=\"IRA\"", done)
	u.enter(`AT+CMGS="+4912345"`, "two\rlines@\x1a", "\r\n> \r\n+CMGS: 1\r\n\r\nOK\r\n")
	u.enter(`AT+CMGS="+4912345"`, "nonsensf\x08e\x1b", done)
	u.enter(`AT+CMGS="+4912345"`, strings.Repeat("a", 161)+"\x1a", cmsIs("305"))
	u.enter(`AT+CMGS="+4912345"`, strings.Repeat("a", 2000)+"\x1a", cmsIs("305"))
	u.enter(`AT+CMGS="+4912345"`, "a`b\x1a", cmsIs("305"))
	u.enter(`AT+CMGS="0049",161`, "edited\x08\x08ing\x1a", "\r\n+CMGS: 2\r\n\r\nOK\r\n")
	u.expect(`AT+CSCS="UCS2"`, done)
	u.enter(`AT+CMGS="002B0034"`, "00400041\x1a", "\r\n+CMGS: 3\r\n\r\nOK\r\n")
	u.enter(`AT+CMGS="002B0034"`, "6E2F\x1a", cmsIs("305")) // not in the alphabet that +CSMP says
	u.expect("AT+CSMP=17,167,0,8", done)
	u.enter(`AT+CMGS="002B0034"`, "6E2F\x1a", "\r\n+CMGS: 4\r\n\r\nOK\r\n")
	u.enter(`AT+CMGS="002B0034"`, "6E2\x1a", cmsIs("305"))
	u.expect(`AT+CSCS="GSM";+CSMP=17,167,0,0`, done)
	u.enter(`AT+CMGS="+4"`, "\x00\x02\x1a", "\r\n+CMGS: 5\r\n\r\nOK\r\n")
	u.expect("AT+CSMP=81,167,0,4", done)
	u.enter(`AT+CMGS="+4"`, "0400030102024142\x1a", cmsIs("305")) // the header is longer than it says
	u.enter(`AT+CMGS="+4"`, "0500030102024142\x1a", "\r\n+CMGS: 6\r\n\r\nOK\r\n")
	want := []string{"+4912345 two\rlines@", "0049 editing", "+4 @A", "+4 港", "+4 @$", "+4 "}
	if got := b.sent(); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// TestEchoAndPrompt holds the bytes that a user with echo sees: V.250's echo also in the text, and TS 27.005's prompt.
func TestEchoAndPrompt(t *testing.T) {
	_, u := messageUser(t, nil)
	u.send("ATE1\r")
	u.await(done)
	u.expect("AT+CMGF=1", "AT+CMGF=1\r\r\nOK\r\n")
	u.expect(`AT+CMGS="1"`, "AT+CMGS=\"1\"\r\r\n> ")
	u.send("a\rb\x1a")
	if got, want := u.await(done), "a\r\r\n> b\x1a\r\n+CMGS: 1\r\n\r\nOK\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	u.send("ATE0;S3=33\r")
	u.await("!\nOK!\n")
	u.send("AT+CMGS=\"1\"!a!b\x1a")
	if got, want := u.await("OK!\n"), "!\n> !\n> !\n+CMGS: 2!\n!\nOK!\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// hello is a message to the modem itself that asks for a status report.
const hello = "31000C91180200000000" + "0000A7" + "05E8329BFD06"

func TestPDUMode(t *testing.T) {
	b, u := messageUser(t, nil)
	length := "AT+CMGS=19"
	for _, tt := range []struct{ name, text, want string }{
		{"no hexadecimal", "x\x1a", cmsIs("304")},
		{"nothing", "\x1a", cmsIs("304")},
		{"another length", "00" + hello + "00\x1a", cmsIs("304")},
		{"no SMS-SUBMIT", "00" + "04" + hello[2:] + "\x1a", cmsIs("304")},
		{"another service centre", "039121F3" + hello + "\x1a", cmsIs("38")},
		{"much too long", strings.Repeat("00", 400) + "\x1a", cmsIs("304")},
		{"given up", "00" + hello + "\x1b", done},
	} {
		t.Run(tt.name, func(t *testing.T) { u.enter(length, tt.text, tt.want) })
	}
	u.expect("AT+CNMI=2,1,0,1", done)
	got := u.sendSelf(strings.ToLower(hello)+"\r", 2, `\+CMTI: "ME",0`, `\+CDS: 25\r\n[0-9A-F]+`)
	_, pdu, _ := strings.Cut(got, "+CDS: 25\r\n")
	pdu, _, _ = strings.Cut(pdu, "\r\n")
	_, tpdu, err := sms.SplitCentre(mustHex(t, pdu))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := sms.ParseStatusReport(tpdu); err != nil || r.Reference != 2 || r.Recipient.String() != ownNumber || r.Status != sms.StatusReceived {
		t.Errorf("%+v, %v", r, err)
	}
	u.send("AT+CMGR=0\r")
	head := u.await(done)
	if !strings.HasPrefix(head, "\r\n+CMGR: 0,,24\r\n0791180900000010240C911802000000000000") || !strings.HasSuffix(head, "05E8329BFD06\r\n\r\nOK\r\n") {
		t.Errorf("%q", head)
	}
	u.send("AT+CMGL=4\r")
	if got := u.await(done); !strings.HasPrefix(got, "\r\n+CMGL: 0,1,,24\r\n0791") {
		t.Errorf("read once, it is still unread: %q", got)
	}
	if got := b.sent(); len(got) != 1 || got[0] != ownNumber+" hello" {
		t.Errorf("sent %q", got)
	}
}

func mustHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return b
}

func TestStoredMessages(t *testing.T) {
	b, u := messageUser(t, nil)
	u.expect(`AT+CMGF=1;+CSCS="IRA";+CSDH=1`, done)
	u.enter(`AT+CMGW="+4912345"`, "first\x1a", ok("+CMGW: 0"))
	u.enter("AT+CMGW", "nobody's\x1a", ok("+CMGW: 1"))
	u.enter(`AT+CMGW="1234",,"REC UNREAD"`, "as if received\x1a", ok("+CMGW: 2"))
	u.expect("AT+CMGR=0", ok("+CMGR: \"STO UNSENT\",\"+4912345\",,145,17,0,0,167,\"+819000000001\",145,5\r\nfirst"))
	u.expect(`AT+CMGL="STO UNSENT"`, ok("+CMGL: 0,\"STO UNSENT\",\"+4912345\",,,145,5\r\nfirst\r\n+CMGL: 1,\"STO UNSENT\",\"\",,,129,8\r\nnobody's"))
	u.expect("AT+CMSS=0", ok("+CMSS: 1"))
	u.expect(`AT+CMSS=1,"+777"`, ok("+CMSS: 2"))
	u.expect("AT+CMSS=2", cmsIs("302"))
	u.expect(`AT+CMSS=1,"x"`, cmsIs("305"))
	u.expect("AT+CMSS=3", cmsIs("321"))
	u.expect("AT+CSDH=0", done)
	u.expect(`AT+CMGL="STO SENT"`, ok("+CMGL: 0,\"STO SENT\",\"+4912345\",,\r\nfirst\r\n+CMGL: 1,\"STO SENT\",\"\",,\r\nnobody's"))
	u.send("AT+CMGL\r")
	if got := u.await(done); !strings.HasPrefix(got, "\r\n+CMGL: 2,\"REC UNREAD\",\"1234\",,\"") || !strings.HasSuffix(got, "\r\nas if received\r\n\r\nOK\r\n") {
		t.Errorf("%q", got)
	}
	u.expect("AT+CMGL", done) // read now
	if got, want := strings.Join(b.sent(), "|"), "+4912345 first|+777 nobody's"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	u.expect("AT+CMGF=0", done)
	u.enter("AT+CMGW=19", "00"+hello+"\x1a", ok("+CMGW: 3"))
	u.enter("AT+CMGW=19,1", "00"+hello+"\x1a", cmsIs("304")) // what is sent cannot have been received
	u.expect("AT+CMGR=3", ok("+CMGR: 2,,19\r\n00"+hello))
	for _, tt := range []struct{ command, left string }{{"AT+CMGD=0,1", "3"}, {"AT+CMGD=0,2", "1"}, {"AT+CMGD=0,3", "0"}} {
		u.expect(tt.command, done)
		u.send("AT+CPMS?\r")
		if got := u.await(done); !strings.Contains(got, `"ME",`+tt.left+",255") {
			t.Errorf("after %s: %q", tt.command, got)
		}
	}
}

// FuzzMessages gives any bytes to the commands of TS 27.005: nothing panics.
func FuzzMessages(f *testing.F) {
	f.Add([]byte("AT+CMGF=1;+CSDH=1\rAT+CMGS=\"+812000000000\"\rhello\x1aAT+CMGL=\"ALL\"\rAT+CMGR=0\r"))
	f.Add([]byte("AT+CNMI=2,2,0,1;+CSMS=1\rAT+CMGS=19\r00" + hello + "\x1aAT+CNMA=1\r"))
	f.Add([]byte("AT+CPMS=\"SM\",\"SM\",\"SM\";+CMGW=19,2\r00" + hello + "\x1aAT+CMSS=0,\"1\",129\rAT+CMGD=0,4\r"))
	f.Add([]byte("AT+CSCS=\"UCS2\";+CMGF=1;+CSMP=81,167,0,8\rAT+CMGW=\"0031\",129,\"REC READ\"\r0500030102026E2F\x1aAT+CMGL=\"ALL\"\r"))
	personality, err := LoadPersonality(DefaultPersonality)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := New(Config{Personality: personality, Network: &fakeNetwork{}, SIM: goodSIM, Centre: newCentre(t)})
		if err != nil {
			t.Fatal(err)
		}
		line := &nullLine{}
		p := &port{m: m, line: line, name: "at", out: newOutput(line), log: m.log, set: m.power(), asm: assembler{max: 256}}
		m.addPort(p)
		for chunk := range strings.SplitSeq(string(data), "\n") {
			m.mu.Lock()
			m.booting, m.reg.stat = false, RegisteredHome
			m.mu.Unlock()
			p.commands(t.Context(), []byte(chunk))
			m.spawns.Wait()
			m.receive()
		}
	})
}
