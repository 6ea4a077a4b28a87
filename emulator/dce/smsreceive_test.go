package dce

import (
	"strings"
	"testing"
	"time"
)

func TestStorageFull(t *testing.T) {
	b, u := messageUser(t, func(c *Config) {
		p, err := LoadPersonality(DefaultPersonality)
		if err != nil {
			t.Fatal(err)
		}
		p.SMS.Storages = []Storage{{storageSM, 2, SourceInferred}, {storageME, 1, SourceInferred}, {storageSR, 1, SourceInferred}}
		c.Personality = p
	})
	u.expect(`AT+CMGF=1;+CPMS="SM","SM","SM"`, ok("+CPMS: 0,2,0,2,0,2"))
	for _, text := range []string{"one", "two", "three", "four"} {
		b.arrives(text)
	}
	u.await("\r\n+CMTI: \"SM\",0\r\n\r\n+CMTI: \"SM\",1\r\n")
	u.enter(`AT+CMGW="1"`, "x\x1a", cmsIs("322"))
	u.expect("AT+CPMS?", ok(`+CPMS: "SM",2,2,"SM",2,2,"SM",2,2`))
	u.send("AT+CMGD=0\r")
	u.awaitAll("OK", `\+CMTI: "SM",0`) // three comes at once
	u.send("AT+CMGR=0\r")
	if got := u.await(done); !strings.Contains(got, "\r\nthree\r\n") {
		t.Errorf("%q", got)
	}
	u.send(`AT+CPMS="SM","SM","ME"` + "\r") // there is room, elsewhere
	u.awaitAll("OK", `\+CMTI: "ME",0`)
}

// TestRouting goes through +CNMI's ways to tell of a message.
func TestRouting(t *testing.T) {
	b, u := messageUser(t, nil)
	u.expect("AT+CMGF=1", done)
	t.Run("stored in silence", func(t *testing.T) {
		u.expect("AT+CNMI=2,0", done)
		b.arrives("silent")
		for range 10000 {
			u.send("AT+CMGL=\"REC UNREAD\"\r")
			if got := u.await(done); strings.Contains(got, "silent") {
				return
			}
		}
		t.Error("it is not stored")
	})
	t.Run("kept back", func(t *testing.T) {
		u.expect("AT+CNMI=0,1", done)
		b.arrives("waits")
		b.awaitStored(2)
		u.expect("AT+CNMI=2", "\r\nOK\r\n\r\n+CMTI: \"ME\",1\r\n")
		u.expect("AT+CNMI=0", done)
		b.arrives("is forgotten")
		b.awaitHeld(1) // it is stored before
		u.expect("AT+CNMI=2,1,0,0,1", done)
		u.expect("AT", done)
	})
	t.Run("direct, as text", func(t *testing.T) {
		u.expect("AT+CNMI=2,2,0,0,0", done)
		b.arrives("direct")
		u.await("\r\n+CMT: \"SORACOM\",,\"")
		u.await("\"\r\ndirect\r\n")
	})
	t.Run("direct, with details", func(t *testing.T) {
		u.expect("AT+CSDH=1", done)
		b.arrives("direct")
		u.await("\",208,4,0,0,\"+819000000001\",145,6\r\ndirect\r\n")
	})
	t.Run("direct, as PDU", func(t *testing.T) {
		u.expect("AT+CMGF=0", done)
		b.arrives("direct")
		u.await("\r\n+CMT: ,26\r\n0791180900000010040D")
		u.await("\r\n")
		b.awaitStored(3)
	})
	t.Run("by class", func(t *testing.T) {
		u.expect("AT+CNMI=2,3", done)
		silent := "1" + hello[1:] // no report
		class3, class2 := strings.Replace(silent, "0000A7", "0013A7", 1), strings.Replace(silent, "0000A7", "0012A7", 1)
		u.sendSelf(class3, 1, `\+CMT: ,24\r\n[0-9A-F]+`)
		u.sendSelf(class2, 2, `\+CMTI: "SM",0`) // class 2 is the SIM's
	})
	t.Run("reports stored", func(t *testing.T) {
		u.expect("AT+CNMI=2,1,0,2", done)
		u.sendSelf(hello, 3, `\+CDSI: "SM",0`) // where it is not
		u.expect(`AT+CPMS="SR";+CMGF=1`, ok("+CPMS: 1,50,4,255,4,255"))
		u.send("AT+CMGR=0\r")
		if got := u.await(done); !strings.HasPrefix(got, "\r\n+CMGR: \"REC UNREAD\",6,3,\"+812000000000\",145,\"") || !strings.HasSuffix(got, ",0\r\n\r\nOK\r\n") {
			t.Errorf("%q", got)
		}
	})
}

// awaitStored waits until n messages are in ME.
func (b *bench) awaitStored(n int) {
	b.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		b.mu.Lock()
		have := b.messages.store(storageME).Used()
		b.mu.Unlock()
		if have == n {
			return
		}
	}
	b.t.Fatalf("not %d messages", n)
}

// awaitHeld waits until n results wait for another +CNMI.
func (b *bench) awaitHeld(n int) {
	b.t.Helper()
	b.statusIs(func(Status) bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.messages.held) == n
	})
}

func TestAcknowledge(t *testing.T) {
	b, u := messageUser(t, nil)
	u.expect("AT+CSMS=1;+CNMI=2,2", ok("+CSMS: 1,1,1"))
	b.arrives("one")
	b.arrives("two")
	b.arrives("three")
	u.awaitAll(`\+CMT: ,23\r\n[0-9A-F]+`)
	u.send("AT+CNMA=1\r")
	u.awaitAll("OK", `\+CMT: ,23\r\n[0-9A-F]+`)
	u.send("AT+CNMA=2\r") // no: it is lost
	u.awaitAll("OK", `\+CMT: ,25\r\n[0-9A-F]+`)
	// Nobody acknowledges in time.
	b.mu.Lock()
	b.messages.deadline = b.messages.deadline.Add(-ackTime)
	b.mu.Unlock()
	b.poke()
	b.awaitStored(1)
	u.expect("AT+CNMI?", ok("+CNMI: 2,0,0,0,0"))
	u.expect("AT+CNMA", cmsIs("340"))
}

// TestPromptHoldsResults: what comes unasked does not end up in the text that is being typed.
func TestPromptHoldsResults(t *testing.T) {
	b, u := messageUser(t, nil)
	u.expect("AT+CMGF=1", done)
	u.expect(`AT+CMGS="1"`, "\r\n> ")
	b.arrives("meanwhile")
	b.awaitStored(1)
	u.send("text\x1a")
	if got, want := u.await("0\r\n"), "\r\n+CMGS: 1\r\n\r\nOK\r\n\r\n+CMTI: \"ME\",0\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	u.expect(`AT+CMGS="1"`, "\r\n> ")
	b.Reset()
	u.await("+QIND: PB DONE")
	u.send("ATE0\r") // a command, not text
	u.await(done)
	u.expect("AT+CMGF?", ok("+CMGF: 0"))
	u.expect("AT+CPMS?", ok(`+CPMS: "ME",1,255,"ME",1,255,"ME",1,255`)) // what is stored stays
}

func TestWithoutService(t *testing.T) {
	b, u := messageUser(t, nil)
	u.expect("AT+CFUN=4", "\r\nOK\r\n")
	u.expect("AT+CMGF=1", done)
	u.enter(`AT+CMGS="1"`, "x\x1a", cmsIs("331"))
	b.arrives("later")
	u.send("AT+CFUN=1\r")
	u.await("\r\n+CMTI: \"ME\",0\r\n")
	b.SetSIMInserted(false)
	u.await("+CPIN: NOT READY")
	for _, c := range []string{"AT+CMGL", "AT+CPMS?", "AT+CSCA?", "AT+CMGD=0", `AT+CMGS="1"`, "AT+CMSS=0"} {
		u.send(c + "\r")
		u.await(cmsIs("310"))
	}
	b.SetSIMInserted(true)
	u.await("+CPIN: READY")
	b.LockSIM("1234")
	u.await("+CPIN: SIM PIN")
	u.send("AT+CMGL\r")
	u.await(cmsIs("311"))
}

func TestNoCentre(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CSCA?", cmsIs("330"))
	u.enter("AT+CMGS=19", "00"+hello+"\x1a", cmsIs("331"))
}

// TestTimeOfWrittenMessage: a message that a user writes as received carries the modem's clock, zone and all.
func TestTimeOfWrittenMessage(t *testing.T) {
	at := time.Date(2026, 11, 26, 19, 8, 25, 0, time.UTC)
	_, u := messageUser(t, func(c *Config) { c.Now = func() time.Time { return at } })
	for _, tt := range []struct{ clock, want string }{
		{"", "26/11/27,04:08:25+36"}, // the network's
		{`+CCLK="30/02/28,23:59:59-14"`, "30/02/28,23:59:59-14"},
	} {
		u.expect("AT+CMGF=1;"+tt.clock, done)
		u.enter(`AT+CMGW="123",129,"REC READ"`, "x\x1a", ok("+CMGW: 0"))
		u.expect("AT+CMGR=0", ok(`+CMGR: "REC READ","123",,"`+tt.want+"\"\r\nx"))
		u.expect("AT+CMGD=0", done)
	}
}
