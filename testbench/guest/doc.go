// Package guest boots a small Linux of Debian's own packages in qemu, without privileges, a container engine or hardware
// virtualisation: the kernel's PPP, pppd and chat, and a shell; or a whole system from a disk. Its serial ports are unix sockets or ttys of this
// machine, so that what the field runs can be held against the emulator's modems.
//
//	image, err := guest.Build(ctx, "")
//	g, err := guest.Start(ctx, guest.Config{Image: image, Serial: []string{e.Modem(0).SocketPath()}})
//	defer g.Close()
//	out, code, err := g.Exec(ctx, "pppd "+g.TTY(0)+" ...")
//
// How it is wired, on a PC (on arm64 Config.Serial is ttyAMA0 and ttyS2, the console ttyS0, control ttyS1):
//
//	qemu ttyS0 -> console: the kernel's and the programs' words -> Config.Logger
//	     ttyS1 <-> Config.Serial[0], ttyS2 <-> Config.Serial[1]
//	     ttyS3 <-> control: Exec's scripts in, their output and exit status out
//	     vda   <-> Config.Drive: an image, or a Disk, which loses what was not flushed when the power goes
//	     eth0  <-  Config.Forward
package guest
