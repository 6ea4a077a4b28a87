// Package agent brings a cellular device onto its closed network and keeps it there, unattended: it opens the modem's port,
// registers, dials, speaks PPP, puts an IP stack of its own on the link, and serves the listed ports on the address that the network
// gave. Nothing else of the device can be reached. Local programs get into the closed network by forwards and a SOCKS5 port.
//
//	a, err := agent.New(cfg)
//	go a.Run(ctx)
//	<-a.Ready() // the services can be reached
//
// A round is one way through the states. Each has a deadline; where one fails, the round ends with a Failure, which has a code
// (A24 to A32), a class, a cause and what to do, and the next round begins after a pause. A link that was up is dialled again at once.
//
//	port -> identify -> sim -> registered -> context -> dial -> ppp -> ip -> services -> online
//	                           ^ the port stays open: a round begins here when only the link was lost
//
// While online, four things look after the link: LCP echoes, which reach the modem; the watcher, which asks the modem on a second port
// or channel and hears what it announces; the probe, which asks a host of the closed network; and the port itself. With the defaults, a
// dead link is found and its cure begun within 15 seconds.
//
// While rounds fail, the ladder is climbed: redial, reattach, radio off and on, restart of the modem, power. Restarts have a floor on
// their rate, which the state file keeps over restarts of the process, as it does the hashes of refused PINs: a PIN that the SIM refused
// is never entered again, and the last try is never used. What only a person can cure is looked at again in the longest pause.
//
// How things stand is told by the status socket (Client; the programs' status and doctor), a log line for each change of state, metrics
// for Prometheus, systemd's notifications, and optionally a port of the closed network.
package agent
