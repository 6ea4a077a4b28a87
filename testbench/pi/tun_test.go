//go:build pi

package pi

import "minato/testbench/env"

// tun has the whole system take part in the closed network, by the packaged drop-in, and wants the system's network back afterwards.
func (w *world) tun(client *env.Client) {
	w.Helper()
	w.chapter("link: tun, with the drop-in of the package's examples")
	// With its path: the shell has an ip of its own, which knows less.
	const system = "/bin/ip -brief address; /bin/ip rule; /bin/ip route show table all | grep -v ' lo '; cat /etc/resolv.conf"
	before := w.sh(system)
	w.sh(`mkdir -p /etc/systemd/system/minato-agent.service.d
cp /usr/share/doc/minato-agent/examples/tun.conf /etc/systemd/system/minato-agent.service.d/
cp -p /etc/minato/agent.yaml /root; sed -i '1ilink: tun' /etc/minato/agent.yaml
systemctl daemon-reload && systemctl restart minato-agent`)
	w.awaitState("online")
	w.want("the system", w.sh(system), "minato0", "100.127.0.0/16", "nameserver 100.127.0.53")
	w.readScreen(client)
	w.chapter("link: tun, killed: the unit's stop step")
	w.sh("systemctl kill --signal=KILL minato-agent; systemctl stop minato-agent; journalctl -u minato-agent -n 8 --no-pager -o cat")
	if after := w.sh(system); after != before {
		w.Error("the system's network is not as it was")
	}
	w.sh(`cp -p /root/agent.yaml /etc/minato; rm -r /etc/systemd/system/minato-agent.service.d
systemctl daemon-reload && systemctl start minato-agent; ls -la /var/lib/minato-agent`)
	w.awaitState("online")
}
