//go:build pi

package pi

import (
	"flag"
	"strings"
	"testing"
	"time"
)

var out = flag.String("out", "", "where transcript and picture go")

// configure is what the owner of a device with a modem on its UART does to the packaged configuration.
const configure = `sed -i \
	-e 's|port: auto .*|port: /dev/ttyAMA0|' -e 's|# pin: .*|pin: "9999"|' \
	-e 's|^#  - {name: screen|  - {name: screen|' \
	-e '$a targets: {name: pump-17, vnc_password: minato-8}' /etc/minato/agent.yaml
grep -v '^ *#' /etc/minato/agent.yaml
minato-agent config check /etc/minato/agent.yaml && systemctl restart minato-agent`

// TestPackage: what the owner of a Raspberry Pi does and sees, from the package to the screen and back.
func TestPackage(t *testing.T) {
	began := time.Now()
	s := makeSystem(t, buildPackage(t, "1"), buildPackage(t, "2"))
	w := newWorld(t, "1234")
	client, err := w.Client(0)
	if err != nil {
		t.Fatal(err)
	}
	w.tell("disk and packages were made in %s", time.Since(began).Round(time.Second))

	w.chapter("the system")
	w.boot(s)
	w.want("the system", w.sh("uname -srm; head -n1 /etc/os-release; cat /proc/1/comm; systemctl is-system-running --wait"), "aarch64", "systemd", "running")
	w.install()
	w.configure()

	w.chapter("the device's services, from this machine, through the relay")
	w.readScreen(client)
	w.logIn(client)

	w.look()
	w.killed()
	w.tun(client)
	w.upgrade()
	w.powerOff(s)
	w.readScreen(client)
	w.stuck()
	w.remove()
	w.tell("all of it took %s", time.Since(began).Round(time.Second))
}

// install installs the package. There is no modem on USB, which the packaged configuration looks for.
func (w *world) install() {
	w.Helper()
	w.chapter("installation")
	w.sh("apt-get install -y -q -o Dpkg::Use-Pty=0 /root/minato-agent_1_arm64.deb")
	w.want("the service", w.sh("systemctl is-enabled minato-agent; systemctl is-active minato-agent; id minato-agent"), "enabled\nactive\n", "(dialout)")
	w.awaitState("idle; A24 no-modem")
	if said := w.sh("ls -l /etc/minato; journalctl -b -u systemd-udevd -g minato --no-pager -o cat || true"); strings.Contains(said, "70-minato") {
		w.Error("udev finds fault with the rules")
	}
}

// configure tells the agent of the modem on the UART, at first with a PIN that the SIM refuses.
func (w *world) configure() {
	w.Helper()
	w.chapter("a modem on the UART, and a mistyped PIN")
	w.sh(configure)
	w.awaitState("idle; A")
	w.chapter("the right PIN")
	w.sh("sed -i 's/pin: .*/pin: \"1234\"/' /etc/minato/agent.yaml; systemctl restart minato-agent")
	w.awaitState("online")
}

// look is what a technician looks at, and an intruder.
func (w *world) look() {
	w.Helper()
	w.chapter("what the device says of itself")
	w.want("the agent's status", w.sh("systemctl status --no-pager --lines=20 minato-agent; minato-agent status"), `Status: "online`, "service  screen")
	w.want("the doctor", w.sh("minato-agent doctor -c /etc/minato/agent.yaml"), "ok     local port of ssh: tcp://127.0.0.1:22 accepts")
	w.sh("useradd --groups minato-agent technician; useradd guest")
	w.want("status for a member of the group", w.sh("su technician -c 'minato-agent status | head -n 1; minato-agent at AT+CSQ'"), "ok   port", "+CSQ: ")
	if _, exit := w.try("su guest -c 'minato-agent status'"); exit == 0 {
		w.Error("everybody may ask the agent")
	}

	w.chapter("what the service could do, if it were taken over")
	w.want("the process", w.sh("grep -E '^(Uid|Groups|CapEff|NoNewPrivs|Seccomp):' /proc/$(systemctl show -p MainPID --value minato-agent)/status"),
		"CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2")
	w.sh("systemd-analyze security --no-pager --threshold=20 minato-agent")
}
