package guest

import (
	"fmt"
	"strings"
)

const (
	qemu        = "qemu-system-x86_64"
	qemuPackage = "qemu-system-x86"
)

// ports are the PC's serial ports beyond the console's ttyS0. Interrupt lines that ISA would share (4 with ttyS0, 3 with ttyS1) would
// lose interrupts; the printer's and the floppy drive's are free here.
var ports = [...]struct {
	base string
	irq  int
}{{"0x2f8", 3}, {"0x3e8", 6}, {"0x2e8", 7}}

const (
	maxSerial = len(ports) - 1 // the last is for control
	controlFD = 3              // the first of exec.Cmd.ExtraFiles
)

// commandLine is for a PC with nothing but serial ports. The console is qemu's standard output.
func (c Config) commandLine() []string {
	args := []string{
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-accel", "tcg", "-machine", "pc", "-cpu", "max",
		"-m", fmt.Sprint(c.Memory), "-kernel", c.Image.Kernel, "-initrd", c.Image.Initrd,
		// A kernel that panics ends qemu, by -no-reboot. On a busy machine the check of the timer's interrupts would fail, and panic.
		"-append", "console=ttyS0 quiet loglevel=4 panic=-1 no_timer_check mitigations=off random.trust_cpu=on",
		"-chardev", "stdio,id=console,signal=off", "-device", "isa-serial,chardev=console,index=0",
		"-chardev", fmt.Sprintf("socket,id=control,fd=%d", controlFD), "-device", port(maxSerial, "control"),
	}
	for i, path := range c.Serial {
		id := fmt.Sprintf("serial%d", i)
		// A peer that closes the connection is dialed again: a modem that was switched off and on.
		args = append(args, "-chardev", fmt.Sprintf("socket,id=%s,path=%s,reconnect=1", id, strings.ReplaceAll(path, ",", ",,")), "-device", port(i, id))
	}
	return args
}

func port(i int, chardev string) string {
	return fmt.Sprintf("isa-serial,chardev=%s,index=%d,iobase=%s,irq=%d", chardev, i+1, ports[i].base, ports[i].irq)
}
