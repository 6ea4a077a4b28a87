package guest

import "testing"

func TestExec(t *testing.T) {
	s := sharedFor(t)
	t.Log(s.sh(t, "uname -a; cat /proc/interrupts; lsmod; dmesg | grep ttyS; cat /proc/uptime; free"))
}
