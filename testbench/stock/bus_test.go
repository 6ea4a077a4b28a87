package stock

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// manager is a ModemManager on a message bus of its own, which looks at no hardware: its ports are unix sockets that it is told of
// (org.freedesktop.ModemManager1.Test).
type manager struct {
	ctx           context.Context
	env           []string
	mmcli, caller string
	version       string
}

// startManager runs bus and ModemManager until the test ends.
func startManager(t testing.TB, ctx context.Context) *manager {
	t.Helper()
	daemon, bus := tool(t, "ModemManager", "modemmanager"), tool(t, "dbus-daemon", "dbus-daemon")
	m := &manager{ctx: ctx, mmcli: tool(t, "mmcli", "modemmanager"), caller: tool(t, "dbus-send", "dbus-bin")}

	address := "unix:path=" + filepath.Join(shortDir(t), "bus")
	cmd := exec.Command(bus, "--session", "--nofork", "--nopidfile", "--address="+address, "--print-address=1")
	ready, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		t.Fatalf("waiting for the message bus: %v", err)
	}
	m.env = append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS="+address, "LC_ALL=C.UTF-8")

	version, err := m.run(daemon, "--version")
	if err != nil {
		t.Fatal(err)
	}
	m.version, _, _ = strings.Cut(version, "\n")
	cmd = exec.Command(daemon, "--test-session", "--no-auto-scan", "--test-enable", "--test-no-udev", "--debug")
	cmd.Env = m.env
	start(t, cmd)
	return m
}

func (m *manager) run(program string, args ...string) (string, error) {
	cmd := exec.CommandContext(m.ctx, program, args...)
	cmd.Env = m.env
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", filepath.Base(program), strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return string(out), nil
}

// setProfile tells ModemManager of a device with one AT port, as udev would.
func (m *manager) setProfile(id, plugin, socket string) error {
	const name = "org.freedesktop.ModemManager1"
	_, err := m.run(m.caller, "--session", "--print-reply", "--dest="+name, "/org/freedesktop/ModemManager1",
		name+".Test.SetProfile", "string:"+id, "string:"+plugin, "array:string:"+socket)
	return err
}

// do has mmcli do something.
func (m *manager) do(t testing.TB, args ...string) string {
	t.Helper()
	out, err := m.run(m.mmcli, append([]string{"--test-session"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// read has mmcli tell something in JSON.
func (m *manager) read(into any, args ...string) error {
	out, err := m.run(m.mmcli, append([]string{"--test-session", "-J"}, args...)...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		return fmt.Errorf("mmcli %s: %w in %q", strings.Join(args, " "), err, out)
	}
	return nil
}

// modemInfo is what mmcli -J -m tells, as far as it is looked at. What is not known is "--".
type modemInfo struct {
	Modem struct {
		Generic struct {
			State        string   `json:"state"`
			Manufacturer string   `json:"manufacturer"`
			Model        string   `json:"model"`
			Revision     string   `json:"revision"`
			Equipment    string   `json:"equipment-identifier"`
			Numbers      []string `json:"own-numbers"`
			Plugin       string   `json:"plugin"`
			Power        string   `json:"power-state"`
			Technologies []string `json:"access-technologies"`
			Unlock       string   `json:"unlock-required"`
			Retries      []string `json:"unlock-retries"`
			Signal       struct {
				Value string `json:"value"`
			} `json:"signal-quality"`
		} `json:"generic"`
		Network struct {
			IMEI         string `json:"imei"`
			Operator     string `json:"operator-code"`
			OperatorName string `json:"operator-name"`
			Registration string `json:"registration-state"`
			Packet       string `json:"packet-service-state"`
		} `json:"3gpp"`
	} `json:"modem"`
}

type simInfo struct {
	SIM struct {
		Properties struct {
			Active   string `json:"active"`
			IMSI     string `json:"imsi"`
			ICCID    string `json:"iccid"`
			Operator string `json:"operator-code"`
		} `json:"properties"`
	} `json:"sim"`
}

type smsInfo struct {
	SMS struct {
		Content struct {
			Number string `json:"number"`
			Text   string `json:"text"`
		} `json:"content"`
		Properties struct {
			State string `json:"state"`
			Type  string `json:"pdu-type"`
		} `json:"properties"`
	} `json:"sms"`
}

type locationInfo struct {
	Modem struct {
		Location struct {
			Network struct {
				MCC string `json:"mcc"`
				MNC string `json:"mnc"`
				TAC string `json:"tac"`
				CID string `json:"cid"`
			} `json:"3gpp"`
		} `json:"location"`
	} `json:"modem"`
}

type signalInfo struct {
	Modem struct {
		Signal struct {
			LTE struct {
				RSRP string `json:"rsrp"`
				RSRQ string `json:"rsrq"`
			} `json:"lte"`
		} `json:"signal"`
	} `json:"modem"`
}
