package stock

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"minato/emulator"
)

// modemManagerRecording is a session of TestModemManager; with -record it is written anew.
const modemManagerRecording = "testdata/modemmanager.txt"

// refusals are the commands that a Quectel EC25 refuses, with the reason. All others that the peers send must be carried out.
var refusals = map[string]string{
	"AT*CNTI=2": "a command of Option's and Sierra's modems",
}

func refusal(command string) (reason string, known bool) {
	reason, known = refusals[strings.TrimRight(command, "\r\n")]
	return reason, known
}

// TestReplay gives the emulator what the peers sent, without the peers. Each command line must get the kind of answer that it got
// when it was recorded; one that was refused then may have become known.
func TestReplay(t *testing.T) {
	e := startEmulator(t, emulator.Config{})
	deliver(t, e, shortMessage)
	deliver(t, e, longMessage)
	awaitStored(t, e, "+CPMS: \"ME\",4,") // one part, and three
	for _, connection := range readRecording(t, modemManagerRecording).connections {
		c, err := net.Dial("unix", e.Modem(0).SocketPath())
		if err != nil {
			t.Fatal(err)
		}
		exchanges(connection, func(command, reply string) {
			want := parseAnswer(command, reply)
			if want.Final == "" {
				return // the peer did not wait for it
			}
			got, _ := ask(t, c, command)
			switch missing := slices.DeleteFunc(want.Info, func(name string) bool { return slices.Contains(got.Info, name) }); {
			case got.refused() && !want.refused():
				t.Errorf("%q is answered with %s, wanted %s", command, got.Final, want.Final)
			case want.refused() && !got.refused():
				t.Logf("%q was refused when it was recorded, and is carried out now", command)
			case got.Final != want.Final:
				t.Errorf("%q ends with %q, wanted %q", command, got.Final, want.Final)
			case len(missing) > 0:
				t.Errorf("%q is answered without %q", command, missing)
			}
		})
		c.Close()
	}
}

// awaitStored waits until the modem has stored messages, as +CPMS? tells.
func awaitStored(t *testing.T, e *emulator.Emulator, want string) {
	t.Helper()
	c, err := net.Dial("unix", e.Modem(0).SocketPath())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	await(t, within(t), "the modem to say "+want, func() (bool, error) {
		_, reply := ask(t, c, "AT+CPMS?\r")
		if !strings.Contains(reply, want) {
			return false, fmt.Errorf("it says %q", reply)
		}
		return true, nil
	})
}

// ask sends a command line and reads its answer.
func ask(t *testing.T, c net.Conn, command string) (kind answer, text string) {
	t.Helper()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte(command)); err != nil {
		t.Fatal(err)
	}
	var reply []byte
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		reply = append(reply, buf[:n]...)
		if a := parseAnswer(command, string(reply)); a.Final != "" {
			return a, string(reply)
		}
		if err != nil {
			t.Fatalf("%q: %v after %q", command, err, reply)
		}
	}
}

// TestRecordingHolds keeps the file readable: what is read and written again is the same, its comments aside.
func TestRecordingHolds(t *testing.T) {
	rec := readRecording(t, modemManagerRecording)
	commands := 0
	for _, c := range rec.connections {
		exchanges(c, func(command, reply string) {
			commands++
			if _, known := refusal(command); parseAnswer(command, reply).refused() && !known {
				t.Errorf("%q is refused: %q", command, reply)
			}
		})
	}
	if commands < 80 {
		t.Errorf("%d command lines in it, wanted a whole session", commands)
	}
}
