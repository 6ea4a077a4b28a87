// Package guest boots a small Linux of Debian's own packages in qemu, without privileges, a container engine or hardware
// virtualisation: the kernel's PPP, pppd and chat, and a shell. Its serial ports are unix sockets of this machine, so that what the
// field runs can be held against the emulator's modems.
//
//	image, err := guest.Build(ctx, "")
//	g, err := guest.Start(ctx, guest.Config{Image: image, Serial: []string{e.Modem(0).SocketPath()}})
//	defer g.Close()
//	out, code, err := g.Exec(ctx, "pppd "+g.TTY(0)+" ...")
//
// How it is wired:
//
//	qemu ttyS0 -> console: the kernel's and the programs' words -> Config.Logger
//	     ttyS1 <-> Config.Serial[0], ttyS2 <-> Config.Serial[1]
//	     ttyS3 <-> control: Exec's scripts in, their output and exit status out
package guest
