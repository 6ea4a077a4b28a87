package guest

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"minato/relay/relayapi"
	"minato/relay/relaytest"
	"minato/testbench/env"
)

// relayConf is of a relay that nobody connects through: its mappings are made and deleted.
const relayConf = `api: {listen: "0.0.0.0:8080", rate: 100000}
network: {route: true}
devices: {file: sims.yaml}
state: state
`

const relaySIM = "8981100000000000001"

// TestPowerCut: the relay runs on a disk with a volatile write cache, and the power goes in the middle of creates and deletes: first with
// nothing left of what was not flushed, then with half of its sectors. Afterwards every answered create is there on its port, no answered
// delete is back, and the audit log holds each. That proves the way from an answer down to the flush that went before it, through store, file
// system and driver; what a real disk does with a flush is its maker's word.
func TestPowerCut(t *testing.T) {
	image, err := buildImage()
	require(t, err)
	disk, err := OpenDisk(relayDisk(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := disk.Close(); err != nil {
			t.Error(err)
		}
	}()
	ledger := relaytest.NewLedger(relaySIM)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &relayapi.Client{HTTPClient: &http.Client{Transport: transport, Timeout: time.Minute}}
	for _, survives := range []func() bool{
		func() bool { return false },
		func() bool { return rand.IntN(2) == 0 },
		nil, // no cut: the last look
	} {
		g := bootRelay(t, image, disk, client)
		listening := listeningIn(t, g)
		err := ledger.Check(t.Context(), client, func(at netip.AddrPort) error {
			if !listening[at.Port()] {
				return fmt.Errorf("nothing listens on port %d", at.Port())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if survives == nil {
			if err := ledger.CheckAudit(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			g.Close()
			break
		}
		var cut sync.Once
		ledger.Work(t.Context(), client, 150, func() { cut.Do(func() { g.Close() }) })
		transport.CloseIdleConnections()
		lost, kept, err := disk.CutPower(survives)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("power cut after %d answers: %d sectors lost, %d kept of what was not flushed", ledger.Calls(), lost, kept)
	}
	if n := ledger.Calls(); n < 300 {
		t.Errorf("%d calls were answered", n)
	}
}

// relayDisk makes an ext4 image with the relay's program and configuration on it.
func relayDisk(t *testing.T) string {
	t.Helper()
	dir, image := t.TempDir(), filepath.Join(t.TempDir(), "disk.img")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", dir, "minato/relay/cmd/minato-relay")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=amd64")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sims := fmt.Sprintf("sims: [{simId: %q, imsi: \"440101234567890\", address: 10.128.0.2}]\n", relaySIM)
	for name, text := range map[string]string{"relay.yaml": relayConf, "sims.yaml": sims} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mke2fs, err := env.Tool("mke2fs", "e2fsprogs")
	require(t, err)
	if out, err := exec.CommandContext(t.Context(), mke2fs, "-q", "-t", "ext4", "-d", dir, image, "192M").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return image
}

// bootRelay boots a guest with the disk, starts the relay on it and waits until its API answers.
func bootRelay(t *testing.T, image *Image, disk *Disk, client *relayapi.Client) *Guest {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bootTimeout)
	defer cancel()
	address, err := env.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	g, err := Start(ctx, Config{
		Image: image, Memory: 512, Logger: consoleLog(), Drive: disk.Drive(), Forward: []Forward{{netip.MustParseAddrPort(address), 8080}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	script := `ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0
		mkdir -p /disk && mount -t ext4 /dev/vda /disk || exit 1
		/disk/minato-relay run -c /disk/relay.yaml >/run/relay.out 2>/run/relay.log &`
	if out, exit, err := g.Exec(ctx, script); err != nil || exit != 0 {
		t.Fatalf("starting the relay: %v, exit status %d: %s", err, exit, out)
	}
	client.BaseURL = "http://" + address
	err = env.Await(ctx, "the relay's API", func() (bool, error) {
		response, err := client.HTTPClient.Get(client.BaseURL + "/v1/health")
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return response.StatusCode == http.StatusOK, err
	})
	if err != nil {
		out, _, _ := g.Exec(t.Context(), "cat /run/relay.log")
		t.Fatalf("%v; the relay says\n%s", err, out)
	}
	out, _, err := g.Exec(ctx, "cat /run/relay.out") // the first start's key
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out) {
		switch name, value, _ := strings.Cut(line, ":"); name {
		case "authKeyId":
			client.AuthKeyID = strings.TrimSpace(value)
		case "authKey":
			client.AuthKey = strings.TrimSpace(value)
		}
	}
	return g
}

// listeningIn gives the guest's open TCP ports.
func listeningIn(t *testing.T, g *Guest) map[uint16]bool {
	t.Helper()
	out, _, err := g.Exec(t.Context(), "cat /proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	ports := map[uint16]bool{}
	for line := range strings.Lines(out) {
		var slot, local, port, state uint32
		var remote string
		if n, _ := fmt.Sscanf(line, "%d: %x:%x %s %x", &slot, &local, &port, &remote, &state); n == 5 && state == 0x0a { // TCP_LISTEN
			ports[uint16(port)] = true
		}
	}
	return ports
}
