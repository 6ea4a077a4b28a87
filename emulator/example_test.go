package emulator_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"minato/emulator"
	"minato/emulator/core"
)

// ask sends a command to a port and gives the lines of the answer.
func ask(port, command string) string {
	f, err := os.OpenFile(port, os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "ATE0\r")
	r := bufio.NewReader(f)
	var lines []string
	for asked := false; ; {
		line, err := r.ReadString('\n')
		if err != nil {
			panic(err)
		}
		switch line = strings.TrimSpace(line); {
		case !asked && line == "OK":
			asked, lines = true, nil
			fmt.Fprintf(f, "%s\r", command)
		case line == "OK" || strings.HasPrefix(line, "+CME ERROR"):
			return strings.Join(append(lines, line), " ")
		case line != "":
			lines = append(lines, line)
		}
	}
}

// A modem for a test, gone when the test ends.
func Example() {
	e, stop, err := emulator.Start(emulator.Config{})
	if err != nil {
		panic(err)
	}
	defer stop()

	fmt.Println(ask(e.Modem(0).PPPPath(), "AT+CGMM"))
	// Output: EC25 OK
}

// An emulator that lives as long as a context does.
func ExampleNew() {
	e, err := emulator.New(emulator.Config{Modems: 3})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	<-e.Ready()
	fmt.Println(e.Modems(), "modems")
	cancel()
	fmt.Println(<-done)
	// Output:
	// 3 modems
	// <nil>
}

// Faults come and go at run time.
func ExampleModem_Inject() {
	e, stop, err := emulator.Start(emulator.Config{})
	if err != nil {
		panic(err)
	}
	defer stop()
	m := e.Modem(0)

	if err := m.Inject("sim-out", nil); err != nil {
		panic(err)
	}
	fmt.Println(ask(m.PPPPath(), "AT+CIMI"))
	m.Clear()
	fmt.Println(ask(m.PPPPath(), "AT+CIMI"))

	err = m.Inject("late-reply", map[string]string{"delay": "soon"})
	fmt.Println(err)
	// Output:
	// +CME ERROR: 10
	// 440101234567890 OK
	// fault late-reply: parameter delay: "soon": allowed is 1ms to 10m0s, as 300ms or 1m30s
}

// A timetable of faults, and what comes of it.
func ExampleEmulator_Play() {
	e, stop, err := emulator.Start(emulator.Config{Modems: 2})
	if err != nil {
		panic(err)
	}
	defer stop()
	script, err := emulator.ParseScript([]byte(`
- {at: 10ms, modem: 1, fault: registration-denied}
- {at: 20ms, modem: all, fault: silent-link, params: {lcp: true}, for: 1h}
`), 2)
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	events := e.Events(ctx, emulator.FromNow)
	if err := e.Play(ctx, script); err != nil {
		panic(err)
	}
	n := 0
	for ev := range events {
		if ev.Type == "fault" {
			fmt.Println("modem", ev.Modem, ev.Fault, ev.State)
			if n++; n == 3 {
				break
			}
		}
	}
	// Output:
	// modem 1 registration-denied injected
	// modem 0 silent-link injected
	// modem 1 silent-link injected
}

// Several modems, with SIMs and ports of one's own.
func ExampleConfig() {
	lift := core.DefaultSubscriber(0)
	lift.SIMID, lift.User, lift.Password = "lift-3", "lift", "secret"
	e, stop, err := emulator.Start(emulator.Config{
		Subscribers: []core.Subscriber{lift},
		Cards:       []emulator.Card{{PIN: "4711"}},
		Listen:      []string{"tcp:127.0.0.1:0"},
	})
	if err != nil {
		panic(err)
	}
	defer stop()

	m := e.Modem(0)
	fmt.Println(m.Status().SIM, len(m.Status().Listen))
	fmt.Println(ask(m.PPPPath(), `AT+CPIN="4711"`))
	fmt.Println(e.Core().Subscribers()[0].SIMID)
	// Output:
	// SIM PIN 1
	// OK
	// lift-3
}
