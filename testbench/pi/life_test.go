//go:build pi

package pi

// killed has the agent killed. Its unit brings it back.
func (w *world) killed() {
	w.Helper()
	w.chapter("killed")
	w.sh("systemctl kill --signal=KILL minato-agent")
	w.awaitProperty("NRestarts", "1")
	w.awaitState("online")
}

// stuck stops the agent where it stands. The watchdog brings it back.
func (w *world) stuck() {
	w.Helper()
	w.chapter("stuck: the watchdog, set to seconds")
	w.sh(`mkdir -p /run/systemd/system/minato-agent.service.d
printf '[Service]\nWatchdogSec=8s\nTimeoutAbortSec=1s\n' >/run/systemd/system/minato-agent.service.d/watchdog.conf
systemctl daemon-reload && systemctl restart minato-agent`)
	w.awaitState("online")
	w.sh("systemctl show -p WatchdogUSec -p NRestarts minato-agent; systemctl kill --signal=STOP minato-agent")
	w.awaitProperty("NRestarts", "1")
	w.awaitState("online")
	w.want("the journal", w.sh("journalctl -u minato-agent --no-pager -o cat -g 'atchdog|main process'"), "Watchdog timeout")
	w.sh("rm -r /run/systemd/system/minato-agent.service.d; systemctl daemon-reload; systemctl restart minato-agent")
	w.awaitState("online")
}

// upgrade installs the next version. Configuration and state stay, and the link comes back.
func (w *world) upgrade() {
	w.Helper()
	w.chapter("upgrade")
	const kept = "md5sum /etc/minato/agent.yaml /var/lib/minato-agent/*; stat -c '%n %a %U:%G' /etc/minato/agent.yaml /var/lib/minato-agent/*"
	before := w.sh(kept)
	events := w.modemEvents()
	w.sh("apt-get install -y -q -o Dpkg::Use-Pty=0 /root/minato-agent_2_arm64.deb; dpkg-query -W minato-agent")
	w.awaitHangUp(events)
	w.awaitState("online")
	if after := w.sh(kept); after != before {
		w.Errorf("configuration and state were\n%s", before)
	}
}

// powerOff switches the device off in order, and on again.
func (w *world) powerOff(s system) {
	w.Helper()
	w.chapter("off and on")
	events := w.modemEvents()
	w.device.Exec(w.ctx, "systemctl poweroff") // it may end before it answers
	w.awaitHangUp(events)
	select {
	case <-w.device.Done():
		w.tell("the device is off")
	case <-w.ctx.Done():
		w.Fatal("the device is still on")
	}
	w.boot(s)
	w.awaitState("online")
	w.sh("systemctl is-system-running --wait; systemd-analyze critical-chain --no-pager minato-agent.service; journalctl -b -u minato-agent --no-pager -o short-monotonic")
}

// remove takes the package off, and then what it has left.
func (w *world) remove() {
	w.Helper()
	w.chapter("removal")
	events := w.modemEvents()
	w.sh("apt-get remove -y -q -o Dpkg::Use-Pty=0 minato-agent")
	w.awaitHangUp(events)
	w.want("what is left", w.sh("systemctl status --no-pager minato-agent; ls -d /etc/minato/* /var/lib/minato-agent/*"),
		"Loaded: masked", "/etc/minato/agent.yaml", "/var/lib/minato-agent/agent-state.json")
	w.chapter("purge")
	w.sh("apt-get purge -y -q -o Dpkg::Use-Pty=0 minato-agent")
	// The user stays, as Debian wants it. Of systemd's own are the stamp of a unit that was enabled, and /run until the next start.
	const left = "find /etc /usr /var /run -xdev -name '*minato-*' -not -name '*minato-guest*'; systemctl --failed --no-pager --plain --no-legend"
	if found := w.sh(left); found != "" {
		w.Errorf("purge has left\n%s", found)
	}
}
