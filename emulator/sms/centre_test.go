package sms

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// world is a service centre with two subscribers and a clock that stands still.
type world struct {
	*Centre
	t     *testing.T
	now   time.Time
	wakes map[string]int
}

const alice, bob = "440101234567890", "440101234567891"

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.Date(2026, 11, 22, 10, 0, 0, 5, time.UTC), wakes: map[string]int{}}
	c, err := NewCentre(CentreConfig{
		Subscribers: []Subscriber{{alice, "812000000000"}, {bob, "+812000000001"}, {"440101234567892", ""}},
		Now:         func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Centre = c
	for _, imsi := range []string{alice, bob} {
		stop := c.Watch(imsi, func() { w.wakes[imsi]++ })
		t.Cleanup(stop)
	}
	return w
}

func (w *world) submit(from, to, text string, change func(*Submit)) error {
	w.t.Helper()
	number, err := ParseAddress(to)
	if err != nil {
		w.t.Fatal(err)
	}
	dcs, parts, err := Split(text, 7)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, u := range parts {
		s := &Submit{Reference: 5, Destination: number, DCS: dcs, UserData: u}
		if change != nil {
			change(s)
		}
		if err := w.Submit(from, w.Number(), s); err != nil {
			return err
		}
	}
	return nil
}

// next gives what is delivered next, or nil.
func (w *world) next(imsi string) (Delivery, TPDU) {
	w.t.Helper()
	d, ok := w.Next(imsi)
	if !ok {
		return d, nil
	}
	tpdu, err := ParseFromCentre(d.TPDU)
	if err != nil {
		w.t.Fatal(err)
	}
	return d, tpdu
}

func TestBetweenSubscribers(t *testing.T) {
	w := newWorld(t)
	for _, to := range []string{"+812000000001", "812000000001", "02000000001"} {
		if err := w.submit(alice, to, "hello", nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		d, got := w.next(bob)
		want := &Deliver{More: i < 2, Origin: Address{TypeInternational, "812000000000"}, Time: w.now.Truncate(time.Second), UserData: UserData{Data: []byte("hello")}}
		if diff := cmp.Diff(TPDU(want), got); diff != "" {
			t.Errorf("message %d (-want +got):\n%s", i, diff)
		}
		if d.Centre != w.Number() {
			t.Errorf("from %v", d.Centre)
		}
		if _, again := w.next(bob); cmp.Diff(got, again) != "" {
			t.Error("it was not given again before it was acknowledged")
		}
		w.Acknowledge(d)
		w.Acknowledge(d)
	}
	if _, got := w.next(bob); got != nil || w.wakes[bob] != 3 || w.wakes[alice] != 0 {
		t.Errorf("%v is left, woken %v", got, w.wakes)
	}
}

func TestStatusReports(t *testing.T) {
	ask := func(s *Submit) {
		s.StatusReport, s.Validity = true, Validity{Format: RelativeValidity, Relative: 0}
	}
	for _, tt := range []struct {
		name   string
		end    func(w *world)
		status byte
	}{
		{"received", func(w *world) { d, _ := w.Next(bob); w.Acknowledge(d) }, StatusReceived},
		{"refused", func(w *world) { d, _ := w.Next(bob); w.Refuse(d, CauseProtocol) }, StatusRejected},
		{"lapsed", func(w *world) { w.now = w.now.Add(5 * time.Minute); w.Next(bob) }, StatusExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			accepted := w.now.Truncate(time.Second)
			if err := w.submit(alice, "+812000000001", "hello", ask); err != nil {
				t.Fatal(err)
			}
			if _, early := w.next(alice); early != nil {
				t.Fatal("a report came early")
			}
			tt.end(w)
			d, got := w.next(alice)
			want := &StatusReport{Reference: 5, Recipient: Address{TypeInternational, "812000000001"}, Time: accepted, Discharge: w.now.Truncate(time.Second), Status: tt.status}
			if diff := cmp.Diff(TPDU(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			w.Acknowledge(d)
			if _, more := w.next(alice); more != nil || w.wakes[alice] != 1 {
				t.Errorf("%v, woken %d times", more, w.wakes[alice])
			}
			if _, more := w.next(bob); more != nil {
				t.Error("the message is still there")
			}
		})
	}
	t.Run("outside", func(t *testing.T) {
		w := newWorld(t)
		if err := w.submit(alice, "+4912345", "hello", ask); err != nil {
			t.Fatal(err)
		}
		if _, got := w.next(alice); got == nil || got.(*StatusReport).Status != StatusReceived {
			t.Errorf("%v", got)
		}
	})
}

func TestMemoryFull(t *testing.T) {
	w := newWorld(t)
	w.submit(alice, "+812000000001", "one", nil)
	w.submit(alice, "+812000000001", "two", nil)
	d, _ := w.next(bob)
	w.Refuse(d, CauseMemoryFull)
	if _, got := w.next(bob); got != nil {
		t.Fatal("tried again without room")
	}
	w.MemoryAvailable(bob)
	if _, got := w.next(bob); got == nil || string(got.(*Deliver).UserData.Data) != "one" || w.wakes[bob] != 3 {
		t.Errorf("%v, woken %d times", got, w.wakes[bob])
	}
}

func TestRefusedByTheNetwork(t *testing.T) {
	w := newWorld(t)
	var no *Reject
	if err := w.submit("262011234567890", "+1", "x", nil); !errors.As(err, &no) || no.Cause != CauseUnidentified {
		t.Errorf("unknown subscriber: %v", err)
	}
	if err := w.Submit(alice, Address{TypeInternational, "49171"}, &Submit{}); !errors.As(err, &no) || no.Cause != CauseNetworkOutOfOrder || !strings.Contains(err.Error(), "which is +819000000001") {
		t.Errorf("another centre: %v", err)
	}
	for range maxWaiting {
		if err := w.submit(alice, "+812000000001", "x", nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.submit(alice, "+812000000001", "x", nil); !errors.As(err, &no) || no.Cause != CauseCongestion {
		t.Errorf("one too many: %v", err)
	}
	if _, err := w.Send(bob, "+1", "x"); !errors.Is(err, ErrTooMany) {
		t.Errorf("one too many from outside: %v", err)
	}
	if list, _ := w.Sent(alice); len(list) != maxSent {
		t.Errorf("%d are remembered", len(list))
	}
}

func TestFromOutside(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("港に着いた。", 20)
	if parts, err := w.Send(bob, "SORACOM", long); err != nil || parts != 2 {
		t.Fatalf("%d parts, %v", parts, err)
	}
	text := ""
	for {
		d, got := w.next(bob)
		if got == nil {
			break
		}
		m := got.(*Deliver)
		if m.Origin != (Address{TypeAlphanumeric, "SORACOM"}) {
			t.Errorf("from %v", m.Origin)
		}
		text += m.UserData.Text(m.DCS)
		w.Acknowledge(d)
	}
	if text != long {
		t.Errorf("%q", text)
	}
	for _, tt := range [][3]string{{bob, "", "x"}, {bob, "+1", ""}, {"1", "+1", "x"}, {bob, "+1", strings.Repeat("港", 67*256)}} {
		if _, err := w.Send(tt[0], tt[1], tt[2]); err == nil {
			t.Errorf("%.20q was taken", tt)
		}
	}
	w.Send(bob, "+1", "too late")
	w.now = w.now.Add(longestValidity)
	if _, got := w.next(bob); got != nil {
		t.Error("delivered after a week")
	}
}

func TestSent(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("0123456789", 40)
	w.submit(alice, "+4912345", long, nil)
	w.submit(alice, "+4912345", "short", nil)
	w.submit(alice, "+4912345", "xyz", func(s *Submit) { s.DCS = DCSOctets })
	w.submit(alice, "+4912345", long, func(s *Submit) {
		if c, _ := s.UserData.Concat(); c.Part == 2 {
			s.Destination.Text = "99" // it went elsewhere
		}
	})
	got, ok := w.Sent(alice)
	at := w.now.Truncate(time.Second)
	want := []SentMessage{
		{At: at, To: "+4912345", Text: long, Parts: 3, Complete: true},
		{At: at, To: "+4912345", Text: "short", Parts: 1, Complete: true},
		{At: at, To: "+4912345", Data: fmt.Sprintf("%x", "xyz"), Parts: 1, Complete: true},
		{At: at, To: "+4912345", Text: long[:153] + long[306:], Parts: 3},
		{At: at, To: "+99", Text: long[153:306], Parts: 3},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(SentMessage{})); diff != "" || !ok {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if list, ok := w.Sent(bob); !ok || list == nil || len(list) != 0 {
		t.Errorf("%v, %t", list, ok)
	}
	if _, ok := w.Sent("1"); ok {
		t.Error("a subscriber that is none")
	}
}

func TestCentreConfig(t *testing.T) {
	for _, cfg := range []CentreConfig{{Number: "x"}, {Subscribers: []Subscriber{{alice, "090-1234"}}}} {
		if _, err := NewCentre(cfg); err == nil {
			t.Errorf("%v was taken", cfg)
		}
	}
}
