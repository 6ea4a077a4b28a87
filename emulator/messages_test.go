package emulator

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"minato/agent/ppp"
	"minato/emulator/sms"
	"minato/emulator/ttytest"
)

const (
	sim0, sim1       = "8981100000000000002", "8981100000000000010"
	number0, number1 = "+812000000000", "+812000000001"
)

// messageTTY is a user of a modem's AT port, without echo, registered.
func messageTTY(t *testing.T, e *Emulator, n int) *ttytest.User {
	t.Helper()
	u := ttytest.Open(t, e.Modem(n).ATPath())
	u.AT("ATE0")
	u.AT("AT+CMEE=1")
	u.Registered()
	return u
}

// submit sends a message in PDU mode.
func submit(t *testing.T, u *ttytest.User, s *sms.Submit) string {
	t.Helper()
	b, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	u.Send(fmt.Sprintf("AT+CMGS=%d\r", len(b)))
	u.Await("\r\n> ")
	u.Send("00" + hex.EncodeToString(b) + "\x1a")
	return u.Await("\r\nOK\r\n")
}

// delivered reads the messages that +CMGL lists in PDU mode.
func delivered(t *testing.T, u *ttytest.User) []*sms.Deliver {
	t.Helper()
	var list []*sms.Deliver
	for line := range strings.Lines(u.AT("AT+CMGL=4")) {
		b, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil || len(b) == 0 {
			continue
		}
		_, tpdu, err := sms.SplitCentre(b)
		if err != nil {
			t.Fatal(err)
		}
		d, err := sms.ParseDeliver(tpdu)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	return list
}

// TestTwoModemsTalk sends one way in text mode and the other way a long text in PDU mode, of which the sender gets reports.
func TestTwoModemsTalk(t *testing.T) {
	e := start(t, Config{Modems: 2})
	a, b := messageTTY(t, e, 0), messageTTY(t, e, 1)
	for _, u := range []*ttytest.User{a, b} {
		u.AT(`AT+CMGF=1;+CSCS="IRA"`)
	}
	a.Send(`AT+CMGS="` + number1 + "\"\r")
	a.Await("\r\n> ")
	a.Send("open the valve\x1a")
	if got := a.Await("\r\nOK\r\n"); got != "\r\n+CMGS: 1\r\n\r\nOK\r\n" {
		t.Errorf("%q", got)
	}
	b.Await("\r\n+CMTI: \"ME\",0\r\n")
	if got := b.AT("AT+CMGR=0"); !strings.HasPrefix(got, "\r\n+CMGR: \"REC UNREAD\",\""+number0+"\",,\"") || !strings.HasSuffix(got, "\"\r\nopen the valve\r\n\r\nOK\r\n") {
		t.Errorf("%q", got)
	}

	for _, u := range []*ttytest.User{a, b} {
		u.AT("AT+CMGF=0")
	}
	a.AT("AT+CNMI=2,1,0,2")
	b.AT("AT+CNMI=2,1,0,2")
	to, err := sms.ParseAddress("02000000000") // as one dials it in the country
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("弁を開けました。", 20)
	dcs, parts, err := sms.Split(long, 77)
	if err != nil || len(parts) != 3 {
		t.Fatal(len(parts), err)
	}
	for i, u := range parts {
		submit(t, b, &sms.Submit{StatusReport: true, Destination: to, DCS: dcs, UserData: u})
		a.Await(fmt.Sprintf("\r\n+CMTI: \"ME\",%d\r\n", i))
		b.Await(fmt.Sprintf("\r\n+CDSI: \"SM\",%d\r\n", i))
	}
	text := ""
	for i, d := range delivered(t, a) {
		c, _ := d.UserData.Concat()
		if diff := cmp.Diff(sms.Concat{Reference: 77, Total: 3, Part: i + 1}, c); diff != "" || d.Origin.String() != number1 {
			t.Errorf("from %s (-want +got):\n%s", d.Origin, diff)
		}
		text += d.UserData.Text(d.DCS)
	}
	if text != long {
		t.Errorf("%q", text)
	}
}

// TestTimeStampsAreInTheNetworksZone: a message's time and the modem's clock are one network's.
func TestTimeStampsAreInTheNetworksZone(t *testing.T) {
	e := start(t, Config{})
	u := messageTTY(t, e, 0)
	ask(t, e, "POST", "/v1/sims/"+sim0+"/sms", `{"from":"0312345678","text":"wake up"}`)
	u.Await("\r\n+CMTI: \"ME\",0\r\n")
	list := delivered(t, u)
	if len(list) != 1 {
		t.Fatalf("%d messages", len(list))
	}
	_, zone := list[0].Time.Zone()
	if off := time.Since(list[0].Time); zone != 9*3600 || off < 0 || off > ttytest.Patience {
		t.Errorf("the time stamp %s is %s old", list[0].Time, off)
	}
	if got := u.AT("AT+CCLK?"); !strings.Contains(got, `+36"`) {
		t.Errorf("the clock says %q", got)
	}
}

// TestMessageWaitsForTheCall: in data mode the result would be noise in PPP.
func TestMessageWaitsForTheCall(t *testing.T) {
	e := start(t, Config{})
	u := messageTTY(t, e, 0)
	u.AT(`AT+CGDCONT=1,"IP","soracom.io"`)
	u.AT("ATD*99***1#")
	l := u.PPP(ppp.Config{User: "sora", Password: "sora"})
	l.Await()
	if status, text := ask(t, e, "POST", "/v1/sims/"+sim0+"/sms", `{"from":"0312345678","text":"wake up"}`); status != 202 || text != "{\"parts\":1}\n" {
		t.Errorf("%d %s", status, text)
	}
	second := ttytest.Open(t, e.Modem(0).PPPPath())
	second.AT("ATE0")
	awaitUsed(t, second, `+CPMS: "ME",1,255`)
	l.Stop()
	l.End()
	u.Await("\r\nNO CARRIER\r\n\r\n+CMTI: \"ME\",0\r\n")
}

// awaitUsed asks a port without unsolicited results until the storages are as wanted.
func awaitUsed(t *testing.T, u *ttytest.User, want string) {
	t.Helper()
	for range 10000 {
		if strings.Contains(u.AT("AT+CPMS?"), want) {
			return
		}
	}
	t.Fatalf("not %s", want)
}

// TestFullSIM fills the SIM's storage: the network keeps what has no room.
func TestFullSIM(t *testing.T) {
	e := start(t, Config{})
	u := messageTTY(t, e, 0)
	u.AT(`AT+CPMS="SM","SM","SM"`)
	u.AT("AT+CMGF=1")
	for i := range 52 {
		if status, text := ask(t, e, "POST", "/v1/sims/440101234567890/sms", fmt.Sprintf(`{"from":"SORACOM","text":"number %d"}`, i)); status != 202 {
			t.Fatalf("%d %s", status, text)
		}
	}
	u.Await("\r\n+CMTI: \"SM\",49\r\n")
	u.Send("AT+CMGW=\"1\"\r")
	u.Await("\r\n> ")
	u.Send("one too many\x1a")
	if got := u.Await("\r\n+CMS ERROR: 322\r\n"); got != "\r\n+CMS ERROR: 322\r\n" {
		t.Errorf("%q", got)
	}
	for i := 50; i < 52; i++ {
		u.Send("AT+CMGD=7\r")
		awaitBoth(t, u, "\r\nOK\r\n", "\r\n+CMTI: \"SM\",7\r\n")
		if got := u.AT("AT+CMGR=7"); !strings.Contains(got, fmt.Sprintf("\r\nnumber %d\r\n", i)) {
			t.Errorf("%q", got)
		}
	}
}

// awaitBoth waits for a result and for one that comes unasked, in any order.
func awaitBoth(t *testing.T, u *ttytest.User, result, unasked string) {
	t.Helper()
	if got := u.Await("\r\n") + u.Await("\r\n"); got == result {
		u.Await(unasked)
	} else {
		u.Await(result)
	}
}

// TestModemManagerMessages replays what ModemManager 1.20 asks of a modem for its messages.
func TestModemManagerMessages(t *testing.T) {
	e := start(t, Config{})
	u := messageTTY(t, e, 0)
	for _, tt := range []struct{ command, want string }{
		{"AT+CNMI=?", "\r\n+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)\r\n\r\nOK\r\n"},
		{"AT+CPMS=?", "\r\n+CPMS: (\"ME\",\"MT\",\"SM\",\"SR\"),(\"ME\",\"MT\",\"SM\"),(\"ME\",\"MT\",\"SM\")\r\n\r\nOK\r\n"},
		{"AT+CPMS?", "\r\n+CPMS: \"ME\",0,255,\"ME\",0,255,\"ME\",0,255\r\n\r\nOK\r\n"},
		{"AT+CMGF=?", "\r\n+CMGF: (0,1)\r\n\r\nOK\r\n"},
		{"AT+CMGF=0", "\r\nOK\r\n"},
		{"AT+CSCS=?", "\r\n+CSCS: (\"IRA\",\"GSM\",\"UCS2\")\r\n\r\nOK\r\n"},
		{`AT+CSCS="UCS2"`, "\r\nOK\r\n"},
		{"AT+CNMI=2,1,2,1,0", "\r\nOK\r\n"},
		{`AT+CPMS="SM","SM","SM"`, "\r\n+CPMS: 0,50,0,50,0,50\r\n\r\nOK\r\n"},
		{"AT+CMGL=4", "\r\nOK\r\n"},
		{`AT+CPMS="ME","SM","SM"`, "\r\n+CPMS: 0,255,0,50,0,50\r\n\r\nOK\r\n"},
		{"AT+CMGL=4", "\r\nOK\r\n"},
	} {
		if got := u.AT(tt.command); got != tt.want {
			t.Errorf("%s gave %q, want %q", tt.command, got, tt.want)
		}
	}
	if status, _ := ask(t, e, "POST", "/v1/sims/"+sim0+"/sms", `{"from":"+819012345678","text":"hello"}`); status != 202 {
		t.Error(status)
	}
	u.Await("\r\n+CMTI: \"SM\",0\r\n")
	u.AT(`AT+CPMS="SM"`)
	if got := u.AT("AT+CMGR=0"); !strings.HasPrefix(got, "\r\n+CMGR: 0,,24\r\n0791180900000010040C9118092143658700") {
		t.Errorf("%q", got)
	}
	if got := u.AT("AT+CMGD=0"); got != "\r\nOK\r\n" {
		t.Errorf("%q", got)
	}
}

func TestMessagesByControlAPI(t *testing.T) {
	e := start(t, Config{Modems: 2})
	u := messageTTY(t, e, 1)
	to, err := sms.ParseAddress("+4912345")
	if err != nil {
		t.Fatal(err)
	}
	dcs, parts, err := sms.Split(strings.Repeat("water level 4.2 m; ", 20), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		submit(t, u, &sms.Submit{Destination: to, DCS: dcs, UserData: p})
	}
	status, text := ask(t, e, "GET", "/v1/sims/"+sim1+"/sms", "")
	var got []sms.SentMessage
	if err := json.Unmarshal([]byte(text), &got); status != 200 || err != nil {
		t.Fatalf("%d %s, %v", status, text, err)
	}
	if len(got) != 1 || got[0].To != "+4912345" || got[0].Text != strings.Repeat("water level 4.2 m; ", 20) || got[0].Parts != 3 || !got[0].Complete || got[0].At.IsZero() {
		t.Errorf("%s", text)
	}
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"nothing sent", "GET", "/v1/sims/" + sim0 + "/sms", "", 200, "[]\n"},
		{"no such SIM", "GET", "/v1/sims/1/sms", "", 404, "not_found"},
		{"to no such SIM", "POST", "/v1/sims/1/sms", `{"from":"1","text":"x"}`, 404, "not_found"},
		{"no sender", "POST", "/v1/sims/" + sim0 + "/sms", `{"text":"x"}`, 400, `from: address`},
		{"a sender too long", "POST", "/v1/sims/" + sim0 + "/sms", `{"from":"a name too long","text":"x"}`, 400, "a name of 1 to 11 characters is allowed"},
		{"no text", "POST", "/v1/sims/" + sim0 + "/sms", `{"from":"1"}`, 400, "text: must not be empty"},
		{"unknown field", "POST", "/v1/sims/" + sim0 + "/sms", `{"from":"1","text":"x","to":"y"}`, 400, "bad_request"},
		{"in parts", "POST", "/v1/sims/" + sim0 + "/sms", `{"from":"1","text":"` + strings.Repeat("x", 161) + `"}`, 202, `{"parts":2}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if status, text := ask(t, e, tt.method, tt.path, tt.body); status != tt.status || !strings.Contains(text, tt.want) {
				t.Errorf("%d %s, want %d %s", status, text, tt.status, tt.want)
			}
		})
	}
	flood := fmt.Sprintf(`{"from":"1","text":"%s"}`, strings.Repeat("x", 153*250))
	for i := 0; ; i++ {
		status, text := ask(t, e, "POST", "/v1/sims/"+sim0+"/sms", flood)
		if status == 409 && strings.Contains(text, "conflict") && i > 0 {
			break
		}
		if status != 202 || i > 10 { // a thousand wait, and the modem has taken a few
			t.Fatalf("request %d: %d %s", i, status, text)
		}
	}
}
