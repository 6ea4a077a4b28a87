package stock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"

	"minato/agent"
	"minato/testbench/env"
)

// tunVariable makes this test binary the inside of a network namespace; it holds the path of minato-emulator.
const tunVariable = "MINATO_STOCK_TUN"

// TestTUN: with minato-emulator run --tun, the machine's own ping and curl reach a device behind a modem.
func TestTUN(t *testing.T) {
	tool(t, "ping", "iputils-ping")
	tool(t, "curl", "curl")
	program := built.emulator(t) // which takes its own time
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(within(t), self)
	cmd.Env = append(os.Environ(), tunVariable+"="+program)
	env.InNamespace(cmd)
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) && os.Getenv("CI") != "true" {
		t.Skip("this kernel lets users make no network namespace: run it as root, or set sysctl kernel.unprivileged_userns_clone=1")
	}
	if err != nil {
		t.Fatalf("in the network namespace: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// runInside is the test itself.
func runInside(program string) (status int) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := useTunnel(ctx, program); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func useTunnel(ctx context.Context, program string) (err error) {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "stock")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	emulator := exec.CommandContext(ctx, program, "run", "--tun", "minato0", "--dir", dir)
	emulator.Stderr = os.Stderr
	if err := emulator.Start(); err != nil {
		return err
	}
	defer func() {
		emulator.Process.Signal(syscall.SIGTERM)
		err = errors.Join(err, emulator.Wait())
	}()
	modem := agent.ModemConfig{Port: filepath.Join(dir, "modem0", "at"), PPPPort: filepath.Join(dir, "modem0", "ppp")}
	if err := env.Await(ctx, "the modem's port", func() (bool, error) {
		_, err := os.Stat(modem.PPPPort)
		return err == nil, nil
	}); err != nil {
		return err
	}
	a, err := agent.New(agent.Config{Modem: modem, Services: []agent.ServiceConfig{{Port: 80, Target: "builtin:http"}}})
	if err != nil {
		return err
	}
	actx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(actx) }() // waited for below
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	select {
	case <-a.Ready():
	case <-ctx.Done():
		return errors.New("the agent is not ready")
	}
	address, err := deviceAddress(ctx)
	if err != nil {
		return err
	}
	for _, command := range [][]string{
		{"ping", "-c", "3", "-i", "0.2", "-W", "30", address},
		{"curl", "-sS", "--fail", "--max-time", "60", "http://" + address + "/"},
	} {
		out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
		first, _, _ := strings.Cut(string(out), "\n")
		fmt.Printf("%s: %s\n", strings.Join(command, " "), first)
	}
	return nil
}

// deviceAddress asks the emulator's control API, at its default address, which this namespace has for itself.
func deviceAddress(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:7070/v1/sims", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var sims []struct {
		Address string `json:"ipAddress"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&sims); err != nil {
		return "", err
	}
	if len(sims) != 1 || sims[0].Address == "" {
		return "", fmt.Errorf("the SIMs are %+v", sims)
	}
	return sims[0].Address, nil
}
