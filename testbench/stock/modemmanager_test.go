package stock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"minato/emulator"
)

// plugin of ModemManager that an EC25 is given to.
const plugin = "quectel"

// TestModemManager goes through a day of a modem that ModemManager minds.
func TestModemManager(t *testing.T) {
	ctx := within(t)
	m := startManager(t, ctx)
	e := startEmulator(t, emulator.Config{})
	r := startRecorder(t, filepath.Join(shortDir(t), "at.sock"), e.Modem(0).SocketPath())
	modem := addModem(t, m, r.path)
	truth := e.Modem(0).Status()

	modem.await(t, "disabled")
	modem.expectIdentity(t, truth)
	modem.expectSIM(t, e)

	m.do(t, "-m", "any", "-e")
	modem.await(t, "registered")
	modem.expectNetwork(t, truth)
	modem.expectSignal(t)
	expectLocation(t, m)
	expectTime(t, m)
	modem.sendSMS(t, e)
	deliver(t, e, shortMessage)
	modem.awaitSMS(t, shortMessage)
	modem.connect(t, e)

	m.do(t, "-m", "any", "-d")
	modem.await(t, "disabled")
	// ModemManager reads one message at a time and drops what it is told of meanwhile; it lists them all when it is enabled.
	deliver(t, e, longMessage)
	m.do(t, "-m", "any", "-e")
	modem.await(t, "registered")
	modem.awaitSMS(t, longMessage)
	m.do(t, "-m", "any", "-d")
	modem.await(t, "disabled")
	keep(t, m, r.recording())
}

// TestModemManagerUnlocks has ModemManager find a SIM that asks for its PIN.
func TestModemManagerUnlocks(t *testing.T) {
	m := startManager(t, within(t))
	e := startEmulator(t, emulator.Config{Cards: []emulator.Card{{PIN: "4711"}}})
	modem := addModem(t, m, e.Modem(0).SocketPath())
	modem.await(t, "locked")
	locked := func(tries int) {
		t.Helper()
		retries := fmt.Sprintf("sim-pin (%d) sim-puk (10) sim-pin2 (3) sim-puk2 (10)", tries)
		modem.awaitInfo(t, "sim-pin with retries "+retries, func(i modemInfo) bool {
			return i.Modem.Generic.Unlock == "sim-pin" && strings.Join(i.Modem.Generic.Retries, " ") == retries
		})
	}
	locked(3)
	if _, err := m.run(m.mmcli, "--test-session", "-i", "any", "--pin=1147"); err == nil || !strings.Contains(err.Error(), "IncorrectPassword") {
		t.Errorf("a wrong PIN: %v, wanted IncorrectPassword", err)
	}
	locked(2)
	m.do(t, "-i", "any", "--pin=4711")
	modem.await(t, "disabled")
	modem.expectSIM(t, e)
	m.do(t, "-m", "any", "-e")
	modem.await(t, "registered")
}

// managed is the one modem of a manager.
type managed struct{ m *manager }

// addModem tells ModemManager of the modem, and waits until it has found it.
func addModem(t *testing.T, m *manager, socket string) managed {
	t.Helper()
	await(t, m.ctx, "ModemManager on its bus", func() (bool, error) {
		err := m.setProfile("id0", plugin, socket)
		return err == nil, err
	})
	await(t, m.ctx, "ModemManager to find the modem", func() (bool, error) {
		var list struct {
			Modems []string `json:"modem-list"`
		}
		err := m.read(&list, "-L")
		return len(list.Modems) == 1, err
	})
	return managed{m}
}

func (d managed) info(t *testing.T) modemInfo {
	t.Helper()
	var i modemInfo
	if err := d.m.read(&i, "-m", "any"); err != nil {
		t.Fatal(err)
	}
	return i
}

// awaitInfo waits until what ModemManager tells of the modem is as wanted.
func (d managed) awaitInfo(t *testing.T, what string, good func(modemInfo) bool) modemInfo {
	t.Helper()
	var i modemInfo
	await(t, d.m.ctx, what, func() (bool, error) {
		i = modemInfo{}
		err := d.m.read(&i, "-m", "any")
		if err == nil && !good(i) {
			err = fmt.Errorf("%+v", i)
		}
		return err == nil, err
	})
	return i
}

func (d managed) await(t *testing.T, state string) {
	t.Helper()
	d.awaitInfo(t, "the modem to be "+state, func(i modemInfo) bool { return i.Modem.Generic.State == state })
}

func (d managed) expectIdentity(t *testing.T, truth emulator.ModemStatus) {
	t.Helper()
	g := d.info(t).Modem.Generic
	got := []string{g.Manufacturer, g.Model, g.Revision, g.Equipment, g.Plugin, g.Power}
	want := []string{truth.Manufacturer, truth.Model, truth.Revision, truth.IMEI, plugin, "on"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
}

func (d managed) expectSIM(t *testing.T, e *emulator.Emulator) {
	t.Helper()
	s := e.Core().Subscribers()[0]
	number := "+" + strings.TrimPrefix(s.MSISDN, "+")
	d.awaitInfo(t, "the SIM's number "+number, func(i modemInfo) bool { return slices.Contains(i.Modem.Generic.Numbers, number) })
	var sim simInfo
	if err := d.m.read(&sim, "-i", "any"); err != nil {
		t.Fatal(err)
	}
	p := sim.SIM.Properties
	got := []string{p.Active, p.IMSI, strings.TrimRight(p.ICCID, "Ff"), p.Operator}
	want := []string{"yes", s.IMSI, s.ICCID, s.IMSI[:5]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("SIM (-want +got):\n%s", diff)
	}
}

func (d managed) expectNetwork(t *testing.T, truth emulator.ModemStatus) {
	t.Helper()
	i := d.awaitInfo(t, "operator and signal quality", func(i modemInfo) bool {
		return i.Modem.Network.OperatorName != "--" && i.Modem.Generic.Signal.Value != "0"
	})
	n, g := i.Modem.Network, i.Modem.Generic
	got := []string{n.IMEI, n.OperatorName, n.Operator, n.Registration, n.Packet, strings.Join(g.Technologies, " ")}
	want := []string{truth.IMEI, truth.Operator, truth.IMSI[:5], "home", "attached", "lte"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("network (-want +got):\n%s", diff)
	}
	// In percent of +CSQ's 31, or in one of the five bars of +CIND, whichever the modem has.
	percent, err := strconv.Atoi(g.Signal.Value)
	if off := percent - truth.CSQ*100/31; err != nil || off < -20 || off > 20 {
		t.Errorf("signal quality %q, with +CSQ: %d", g.Signal.Value, truth.CSQ)
	}
}

// expectSignal wants the values of +CESQ in dBm and dB.
func (d managed) expectSignal(t *testing.T) {
	t.Helper()
	d.m.do(t, "-m", "any", "--signal-setup=1")
	await(t, d.m.ctx, "RSRP and RSRQ", func() (bool, error) {
		var s signalInfo
		err := d.m.read(&s, "-m", "any", "--signal-get")
		lte := s.Modem.Signal.LTE
		return strings.HasPrefix(lte.RSRP, "-") && lte.RSRP != "--" && strings.HasPrefix(lte.RSRQ, "-") && lte.RSRQ != "--", err
	})
	d.m.do(t, "-m", "any", "--signal-setup=0")
}

func expectLocation(t *testing.T, m *manager) {
	t.Helper()
	var l locationInfo
	if err := m.read(&l, "-m", "any", "--location-get"); err != nil {
		t.Fatal(err)
	}
	n := l.Modem.Location.Network
	if n.MCC != "440" || n.MNC != "10" || n.TAC == "--" || n.CID == "--" {
		t.Errorf("location %+v, wanted the cell of 440 10", n)
	}
}

// expectTime wants the modem's clock to tell the time of day, in the network's zone.
func expectTime(t *testing.T, m *manager) {
	t.Helper()
	var now struct {
		Modem struct {
			Time struct {
				Current string `json:"current"`
			} `json:"time"`
		} `json:"modem"`
	}
	if err := m.read(&now, "-m", "any", "--time"); err != nil {
		t.Fatal(err)
	}
	told, err := time.Parse("2006-01-02T15:04:05-07", now.Modem.Time.Current)
	if _, zone := told.Zone(); err != nil || time.Since(told).Abs() > patience || zone != 9*60*60 {
		t.Errorf("the time is %q (%v), wanted about now in Japan", now.Modem.Time.Current, err)
	}
}

// sendSMS sends a message in each of the two alphabets, and wants it at the service centre.
func (d managed) sendSMS(t *testing.T, e *emulator.Emulator) {
	t.Helper()
	const number = "+819012345678"
	want := []string{"Pump 3 stopped", "ポンプ３停止"}
	for _, text := range want {
		out := d.m.do(t, "-m", "any", "--messaging-create-sms=text='"+text+"',number="+number)
		path := out[strings.LastIndex(out, " ")+1:]
		d.m.do(t, "-s", strings.TrimSpace(path), "--send")
		if s := d.sms(t, strings.TrimSpace(path)); s.SMS.Properties.State != "sent" {
			t.Errorf("the message is %q, wanted sent", s.SMS.Properties.State)
		}
	}
	var sent []struct {
		To   string `json:"to"`
		Text string `json:"text"`
	}
	control(t, e, http.MethodGet, "/v1/sims/"+e.Core().Subscribers()[0].SIMID+"/sms", nil, &sent)
	var got []string
	for _, s := range sent {
		if s.To != number {
			t.Errorf("sent to %q, wanted %s", s.To, number)
		}
		got = append(got, s.Text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("at the service centre (-want +got):\n%s", diff)
	}
}

const sender = "+819087654321"

// The messages that the modem gets: one part, and three.
var (
	shortMessage = "Start pump 3"
	longMessage  = strings.TrimSpace(strings.Repeat("起動 ", 60))
)

// deliver has the service centre send a message to the modem.
func deliver(t *testing.T, e *emulator.Emulator, text string) {
	t.Helper()
	control(t, e, http.MethodPost, "/v1/sims/"+e.Core().Subscribers()[0].SIMID+"/sms", map[string]string{"from": sender, "text": text}, nil)
}

// awaitSMS waits until ModemManager shows a message that was delivered.
func (d managed) awaitSMS(t *testing.T, text string) {
	t.Helper()
	await(t, d.m.ctx, "ModemManager to show the message", func() (bool, error) {
		var list struct {
			Paths []string `json:"modem.messaging.sms"`
		}
		if err := d.m.read(&list, "-m", "any", "--messaging-list-sms"); err != nil {
			return false, err
		}
		var last error
		for _, path := range list.Paths {
			var s smsInfo
			if err := d.m.read(&s, "-s", path); err != nil {
				return false, err
			}
			if s.SMS.Properties.State == "received" && s.SMS.Content.Text == text && s.SMS.Content.Number == sender {
				return true, nil
			}
			last = fmt.Errorf("%s: %+v", path, s)
		}
		return false, last
	})
}

func (d managed) sms(t *testing.T, path string) smsInfo {
	t.Helper()
	var s smsInfo
	if err := d.m.read(&s, "-s", path); err != nil {
		t.Fatal(err)
	}
	return s
}

// connect has ModemManager dial; PPP would be NetworkManager's part. It hangs up by closing the port.
func (d managed) connect(t *testing.T, e *emulator.Emulator) {
	t.Helper()
	d.m.do(t, "-m", "any", "--simple-connect=apn=soracom.io,user=sora,password=sora")
	d.await(t, "connected")
	if calls := e.Modem(0).Status().Calls; len(calls) != 1 {
		t.Errorf("the modem has %d calls, wanted 1", len(calls))
	}
	d.m.do(t, "-m", "any", "--simple-disconnect")
	d.await(t, "registered")
	await(t, d.m.ctx, "the call to end", func() (bool, error) { return len(e.Modem(0).Status().Calls) == 0, nil })
}

// keep looks at what crossed the port: the modem refused nothing but what it should. With -record it becomes testdata.
func keep(t *testing.T, m *manager, rec recording) {
	t.Helper()
	for _, c := range rec.connections {
		exchanges(c, func(command, reply string) {
			if _, known := refusal(command); parseAnswer(command, reply).refused() && !known {
				t.Errorf("%q was refused: %q", command, reply)
			}
		})
	}
	if !*record {
		return
	}
	rec.header = fmt.Sprintf(`# What crossed the AT port between %s (Debian bookworm's package modemmanager, plugin %s) and
# minato-emulator's Quectel EC25: found, read, enabled, registered, messages sent and received, connected, disconnected, disabled.
# Written by: go test ./testbench/stock -run 'TestModemManager$' -record
`, m.version, plugin)
	if err := os.MkdirAll(filepath.Dir(modemManagerRecording), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(modemManagerRecording, []byte(rec.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// control calls the control API of an emulator in this process.
func control(t testing.TB, e *emulator.Emulator, method, path string, body, answer any) {
	t.Helper()
	call(t, "http://"+e.ControlAddr(), method, path, body, answer)
}

func call(t testing.TB, base, method, path string, body, answer any) {
	t.Helper()
	payload, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(within(t), method, base+path, bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true // nothing idle is left at the end
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var raw json.RawMessage
	if resp.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(resp.Body).Decode(&raw); err != nil {
			t.Fatalf("%s %s: %s: %v", method, path, resp.Status, err)
		}
	}
	if resp.StatusCode >= 400 {
		t.Fatalf("%s %s: %s: %s", method, path, resp.Status, raw)
	}
	if answer == nil {
		return
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		t.Fatal(err)
	}
}
