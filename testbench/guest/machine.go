package guest

import (
	"fmt"
	"strings"
)

// machine is a computer that qemu makes, and what Debian calls it.
type machine struct {
	arch      string // Debian's name
	kernel    string // metapackage
	qemu, pkg string // program, and Debian's package of it

	hardware []string                             // options of qemu
	console  string                               // the kernel's name of the serial port that is qemu's standard output
	control  string                               // and of the one for Exec's scripts
	serial   [maxSerial]string                    // and of Config.Serial's
	devices  []string                             // qemu's for the first two
	port     func(i int, chardev string) []string // and for the i-th of serial
}

var machines = []*machine{
	{
		arch: "amd64", kernel: "linux-image-amd64", qemu: "qemu-system-x86_64", pkg: "qemu-system-x86",
		hardware: []string{"-machine", "pc", "-cpu", "max"},
		console:  "ttyS0", control: "ttyS3", serial: [maxSerial]string{"ttyS1", "ttyS2"},
		devices: append([]string{"-device", "isa-serial,chardev=console,index=0"}, isaPort(2, "control")...),
		port:    isaPort,
	},
	{
		arch: "arm64", kernel: "linux-image-arm64", qemu: "qemu-system-aarch64", pkg: "qemu-system-arm",
		// A Raspberry Pi 4's processor. The machine is qemu's own: Debian's kernel knows it. It has one UART, a PL011 as the Pi's, which is the
		// first of serial; the other ports are 16550s on PCI.
		hardware: []string{"-machine", "virt", "-cpu", "cortex-a72", "-smp", "2"},
		console:  "ttyS0", control: "ttyS1", serial: [maxSerial]string{"ttyAMA0", "ttyS2"},
		devices: append(pciPort(0, "console"), pciPort(1, "control")...),
		port: func(i int, chardev string) []string {
			if i == 0 {
				return []string{"-serial", "chardev:" + chardev}
			}
			return pciPort(i+1, chardev)
		},
	},
}

// machineOf finds the machine of an architecture.
func machineOf(arch string) (*machine, error) {
	for _, m := range machines {
		if m.arch == arch {
			return m, nil
		}
	}
	return nil, fmt.Errorf("architecture %q: want amd64 or arm64", arch)
}

// ports are the PC's serial ports beyond the console's ttyS0. Interrupt lines that ISA would share (4 with ttyS0, 3 with ttyS1) would
// lose interrupts; the printer's and the floppy drive's are free here.
var ports = [...]struct {
	base string
	irq  int
}{{"0x2f8", 3}, {"0x3e8", 6}, {"0x2e8", 7}}

const (
	maxSerial = 2 // the PC's last is for control
	controlFD = 3 // the first of exec.Cmd.ExtraFiles
)

func isaPort(i int, chardev string) []string {
	return []string{"-device", fmt.Sprintf("isa-serial,chardev=%s,index=%d,iobase=%s,irq=%d", chardev, i+1, ports[i].base, ports[i].irq)}
}

func pciPort(i int, chardev string) []string {
	return []string{"-device", fmt.Sprintf("pci-serial,chardev=%s,addr=%#x", chardev, 8+i)} // in the order in which the kernel finds them
}

// commandLine is for a machine with nothing but serial ports, and what else c asks for. The console is qemu's standard output.
func (m *machine) commandLine(c Config) []string {
	// A kernel that panics ends qemu, by -no-reboot. On a busy machine the check of the timer's interrupts would fail, and panic.
	kernel := fmt.Sprintf("console=%s quiet loglevel=4 panic=-1 no_timer_check mitigations=off random.trust_cpu=on minato.control=%s",
		m.console, m.control)
	if c.Append != "" {
		kernel += " " + c.Append
	}
	args := append([]string{"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-accel", "tcg"}, m.hardware...)
	args = append(args, "-m", fmt.Sprint(c.Memory), "-kernel", c.Image.Kernel, "-initrd", c.Image.Initrd, "-append", kernel,
		"-chardev", "stdio,id=console,signal=off")
	args = append(args, "-chardev", fmt.Sprintf("socket,id=control,fd=%d", controlFD))
	args = append(args, m.devices...)
	for i, path := range c.Serial {
		id := fmt.Sprintf("serial%d", i)
		args = append(args, "-chardev", chardev(id, path))
		args = append(args, m.port(i, id)...)
	}
	if c.Drive != "" {
		args = append(args, "-drive", "if=none,id=disk,format=raw,cache=writeback,file="+escape(c.Drive), "-device", "virtio-blk-pci,drive=disk")
	}
	if len(c.Forward) > 0 {
		network := "user,id=net,restrict=on"
		for _, f := range c.Forward {
			network += fmt.Sprintf(",hostfwd=tcp:%s-:%d", f.Host, f.Guest)
		}
		args = append(args, "-netdev", network, "-device", "virtio-net-pci,netdev=net,romfile=")
	}
	return args
}

// chardev is a serial port's other end: a tty, or a unix socket, which is dialed again when the peer closes the connection: a modem that was
// switched off and on.
func chardev(id, path string) string {
	if strings.HasPrefix(path, "/dev/") {
		return fmt.Sprintf("serial,id=%s,path=%s", id, escape(path))
	}
	return fmt.Sprintf("socket,id=%s,path=%s,reconnect=1", id, escape(path))
}

// escape lets a comma stand in the value of an option.
func escape(s string) string { return strings.ReplaceAll(s, ",", ",,") }
