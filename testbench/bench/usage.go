//go:build linux

package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of times in /proc: USER_HZ, which Linux fixes for programs (proc(5), times(2)).
const clockTick = 10 * time.Millisecond

// cpu is the time that the proxy has spent, in user mode and in the kernel.
func (x *proxy) cpu() (total time.Duration, err error) {
	pids, err := x.pids()
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		// After the name in parentheses, which may hold anything: fields 3 and on; utime is the 14th, stime the 15th (proc(5)).
		fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
		for _, i := range []int{14 - 3, 15 - 3} {
			n, err := strconv.ParseInt(string(fields[i]), 10, 64)
			if err != nil {
				return 0, err
			}
			total += time.Duration(n) * clockTick
		}
	}
	return total, nil
}

// memory is the proxy's resident memory in bytes.
func (x *proxy) memory() (total int64, err error) {
	pids, err := x.pids()
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			return 0, err
		}
		pages, err := strconv.ParseInt(string(bytes.Fields(b)[1]), 10, 64)
		if err != nil {
			return 0, err
		}
		total += pages * int64(os.Getpagesize())
	}
	return total, nil
}

// spent is the CPU time that the proxy takes for f, with what it does soon afterwards: logs, freed memory.
func (x *proxy) spent(f func() error) (time.Duration, error) {
	before, err := x.cpu()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	time.Sleep(afterwards)
	after, err := x.cpu()
	return after - before, err
}

// afterwards is how long to wait for such work; the relay commits its audit log in groups within 50 ms.
const afterwards = 300 * time.Millisecond
