package core

import (
	"bytes"
	"context"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// TestCapture wants each device's packets, both ways, under its SIM's name, once the network has ended.
func TestCapture(t *testing.T) {
	subs := openSubscribers(2)
	var file bytes.Buffer // only the network writes it, and it has ended when it is read
	c, err := New(Config{Subscribers: subs, Capture: &file})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	<-c.Ready()
	owner := map[string]string{}
	for _, sub := range subs {
		s := activate(t, c, sub)
		echo(t, startDevice(t, s), ":7")
		owner[s.Lease().Addr.String()] = sub.SIMID
		conn, err := c.DialSIM(testContext(t), sub.SIMID, 7)
		if err != nil {
			t.Fatal(err)
		}
		checkEcho(t, conn, "hello")
		conn.Close()
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}

	r, err := pcapgo.NewNgReader(&file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]map[string]int{}
	for {
		raw, ci, err := r.ReadPacketData()
		if err != nil {
			break
		}
		intf, err := r.Interface(ci.InterfaceIndex)
		if err != nil {
			t.Fatal(err)
		}
		ip, ok := gopacket.NewPacket(raw, layers.LayerTypeIPv4, gopacket.Default).NetworkLayer().(*layers.IPv4)
		if !ok {
			t.Fatalf("no IPv4 in % x", raw)
		}
		way, device := "up", ip.SrcIP.String()
		if device == c.cfg.Gateway.String() {
			way, device = "down", ip.DstIP.String()
		}
		if owner[device] != intf.Name {
			t.Errorf("a packet of %s is under %q", device, intf.Name)
		}
		if seen[device] == nil {
			seen[device] = map[string]int{}
		}
		seen[device][way]++
	}
	for device := range owner {
		if seen[device]["up"] < 3 || seen[device]["down"] < 3 {
			t.Errorf("%s: %v packets", device, seen[device])
		}
	}
}
