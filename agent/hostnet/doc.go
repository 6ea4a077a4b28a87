// Package hostnet gives a link to the operating system, so that every program of the device takes part in the closed network; or it
// takes part in a network by an interface that the system has already.
//
//	undo, err := hostnet.OpenUndo("/var/lib/minato", log) // undoes what a killed process left
//	t, err := hostnet.NewTunnel(hostnet.TunnelConfig{Name: "minato0", MTU: 1500, Output: conn.WritePackets})
//	conn.Attach(t.Deliver, nil)
//	go t.Run(ctx)
//	restore, err := hostnet.Apply(hostnet.Settings{Interface: "minato0", Addr: addr, ...}, undo)
//	l, err := hostnet.Interface{Name: "minato0", Addr: addr}.Listen("tcp", ...)
//
// Three kinds of things change, and each has its way back:
//
//	interface, address, routes   go with the process that has the TUN device open, however it ends
//	the rule for answers         outlives the process: noted in the undo file before it is made
//	name servers                 outlive it, too: noted with what was there before
//
// What is noted is undone when the link ends; by Restore, which the service manager runs when the process was killed; or else by the
// next process, before its first link. It is undone only where it still is as it was left: what others changed meanwhile is theirs.
//
// A disk that takes no note keeps nobody from the link: the rule is made all the same, since the next link's process knows it by its
// table and removes it, and an address that is gone asks for nothing till then. Name servers stay as they are, except where
// systemd-resolved has them.
package hostnet
