package core

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestDialErrors(t *testing.T) {
	subs := openSubscribers(3)
	subs[0].SIMID = "Sim-0"
	c := startCore(t, Config{Subscribers: subs, DialTimeout: patience})
	echo(t, startDevice(t, activate(t, c, subs[0])), ":7")
	hasty := startCore(t, Config{Subscribers: subs, DialTimeout: 100 * time.Millisecond}) // for the device that never answers only: the machine may be busy
	activate(t, hasty, subs[1]).Attach(func([][]byte) error { return nil })

	tests := []struct {
		name, address string
		want          error
	}{
		{"by SIM", "Sim-0.sim:7", nil},
		{"in other letters", "SIM-0.SIM.:7", nil},
		{"by IMSI", subs[0].IMSI + ".imsi:7", nil},
		{"by IMSI as a SIM", subs[0].IMSI + ".sim:7", nil},
		{"nothing listens", "Sim-0.sim:8", ErrRefused},
		{"silent", subs[1].SIMID + ".sim:7", ErrTimeout},
		{"no session", subs[2].SIMID + ".sim:7", ErrOffline},
		{"unknown", "sim-9.sim:7", ErrUnknownSIM},
		{"unknown IMSI", "001010000000000.imsi:7", ErrUnknownSIM},
		{"an address", "10.128.0.1:7", errNotASIM},
		{"no suffix", "Sim-0:7", errNotASIM},
		{"suffix only", ".sim:7", errNotASIM},
		{"two labels", "a.Sim-0.sim:7", errNotASIM},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := c
			if tt.want == ErrTimeout {
				c = hasty
			}
			conn, err := c.DialContext(testContext(t), "tcp", tt.address)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if err == nil {
				defer conn.Close()
				checkEcho(t, conn, "hello")
			}
		})
	}
	for _, address := range []string{"Sim-0.sim", "Sim-0.sim:", "Sim-0.sim:-1", "Sim-0.sim:65536", "Sim-0.sim:http"} {
		if _, err := c.DialContext(testContext(t), "tcp", address); err == nil {
			t.Errorf("%q was dialled", address)
		}
	}
	if _, err := c.DialContext(testContext(t), "udp", "Sim-0.sim:7"); err == nil {
		t.Error("UDP was dialled")
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := hasty.DialSIM(cancelled, subs[1].SIMID, 7); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled dial: %v", err)
	}
}

// TestSourceIsGateway wants devices to see the gateway as every door's client.
func TestSourceIsGateway(t *testing.T) {
	subs := openSubscribers(1)
	c := startCore(t, Config{Subscribers: subs})
	l, err := startDevice(t, activate(t, c, subs[0])).Listen("tcp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := c.DialSIM(testContext(t), subs[0].SIMID, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	if got := accepted.RemoteAddr().(*net.TCPAddr).IP.String(); got != "100.127.0.1" {
		t.Errorf("the device sees %s", got)
	}
}

// TestManyConnections opens many at once to several devices.
func TestManyConnections(t *testing.T) {
	subs := openSubscribers(4)
	c := startCore(t, Config{Subscribers: subs, DialTimeout: patience})
	for _, sub := range subs {
		echo(t, startDevice(t, activate(t, c, sub)), ":7")
	}
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			conn, err := c.DialSIM(testContext(t), subs[i%len(subs)].SIMID, 7)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			checkEcho(t, conn, strings.Repeat("0123456789", 1000+i))
		})
	}
	wg.Wait()
}
