// Package agent brings a cellular device onto its closed network and keeps it there: it opens the modem's port, registers, dials,
// speaks PPP, puts an IP stack of its own on the link, and serves the listed ports on the address that the network gave.
// Nothing else of the device can be reached.
//
//	a, err := agent.New(cfg)
//	go a.Run(ctx)
//	<-a.Ready() // the services can be reached
//
// A round is one way through the states. Each has a deadline; where one fails, the round ends with a Failure, which has a code
// (A24 to A32), a cause and a cure, and the next round begins after a pause. A link that was up is dialled again at once.
//
//	port -> identify -> sim -> registered -> context -> dial -> ppp -> ip -> services
//	                           ^ the port stays open: a round begins here when only the link was lost
package agent
