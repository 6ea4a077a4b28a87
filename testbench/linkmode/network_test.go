package linkmode

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"

	"minato/agent/netstack"
	"minato/emulator"
	"minato/emulator/core"
	"minato/relay"
	"minato/relay/relayapi"
	"minato/relay/splice"
)

// startEmulator runs one modem and its network until the test's end.
func startEmulator(t *testing.T, cfg emulator.Config) *emulator.Emulator {
	t.Helper()
	cfg.Dir = t.TempDir()
	e, stop, err := emulator.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("emulator: %v", err)
		}
	})
	return e
}

// serverAddr is a machine in the closed network.
var serverAddr = netip.MustParseAddr("100.127.10.10")

// page is what its web server says.
const page = "a page of the closed network\n"

// startServer joins a machine to the closed network: a web server, and on its port 22 what listens on the address sshd.
func startServer(t *testing.T, e *emulator.Emulator, sshd string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	var host *core.Host
	stack, err := netstack.New(netstack.Config{Addrs: []netip.Addr{serverAddr}, Output: func(packets [][]byte) error {
		for _, p := range packets {
			host.Deliver(p)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if host, err = e.Core().Join(serverAddr, stack.Deliver); err != nil {
		t.Fatal(err)
	}
	running.Go(func() { stack.Run(ctx); host.Leave() })
	web, err := stack.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, page) })}
	running.Go(func() { server.Serve(web) })
	t.Cleanup(func() { server.Close() })
	shell, err := stack.Listen("tcp", ":22")
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() {
		for {
			c, err := shell.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				to, err := net.Dial("tcp", sshd)
				if err != nil {
					c.Close()
					return
				}
				splice.New(c, to, splice.Config{}).Run(ctx)
			})
		}
	})
}

// startRelay runs a relay in front of the emulator's door, and maps a port of the device: the technician's way in.
func startRelay(t *testing.T, e *emulator.Emulator, port int) netip.AddrPort {
	t.Helper()
	client := &relayapi.Client{}
	r, err := relay.New(relay.Config{
		Network: relay.SOCKSNetwork{Addr: e.SOCKSAddr()}, Directory: &relay.EmulatorDirectory{URL: "http://" + e.ControlAddr()},
		API: "127.0.0.1:0", MappingIP: netip.MustParseAddr("127.0.0.1"), Dir: filepath.Join(t.TempDir(), "relay"), DrainTimeout: -1,
		BootstrapKey: func(id, secret string) { client.AuthKeyID, client.AuthKey = id, secret },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("relay: %v", err)
		}
	})
	select {
	case <-r.Ready():
	case err := <-done:
		done <- nil
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client.BaseURL, client.HTTPClient = "http://"+r.APIAddr().String(), &http.Client{Transport: transport}
	m, err := client.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{
		Destination: relayapi.Destination{SIMID: core.DefaultSubscriber(0).SIMID, Port: port},
	})
	if err != nil {
		t.Fatal(err)
	}
	return netip.AddrPortFrom(netip.MustParseAddr(m.IPAddress), uint16(m.Port))
}
