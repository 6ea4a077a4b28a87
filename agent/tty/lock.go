package tty

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// lockUUCP makes LCK..ttyUSB2, by the convention of the Filesystem Hierarchy Standard (5.9): the owner's process id in ten
// characters. It returns the holder instead when a living process has it. A directory that is not there or not ours to write is
// no error: flock has the port already.
func lockUUCP(dir, path string) (unlock func(), holder *Holder, err error) {
	if dir == "" {
		dir = "/run/lock"
	}
	name := filepath.Join(dir, "LCK.."+filepath.Base(path))
	for range 2 { // the second time after a stale lock was removed
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			_, err = fmt.Fprintf(f, "%10d\n", os.Getpid())
			if err = errors.Join(err, f.Close()); err != nil {
				os.Remove(name)
				return nil, nil, fmt.Errorf("writing lock file %q: %w", name, err)
			}
			return func() { os.Remove(name) }, nil, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return func() {}, nil, nil
		}
		pid := readLock(name)
		if pid > 0 && pid != os.Getpid() && unix.Kill(pid, 0) != unix.ESRCH {
			return nil, &Holder{PID: pid, Program: program("/proc", pid)}, nil
		}
		if os.Remove(name) != nil {
			return func() {}, nil, nil
		}
	}
	return func() {}, nil, nil
}

// readLock reads a lock file's process id; 0 when there is none.
func readLock(name string) int {
	b, err := os.ReadFile(name)
	if err != nil || len(b) > 64 {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return pid
}

// lockHolder finds who has the flock on a file, from /proc/locks (proc_locks(5)).
func lockHolder(proc string, st *unix.Stat_t) *Holder {
	b, err := os.ReadFile(filepath.Join(proc, "locks"))
	if err != nil {
		return nil
	}
	id := fmt.Sprintf("%02x:%02x:%d", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev)), st.Ino)
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line) // 1: FLOCK ADVISORY WRITE 1234 00:1a:5 0 EOF
		if len(f) < 6 || f[1] != "FLOCK" || f[5] != id {
			continue
		}
		if pid, err := strconv.Atoi(f[4]); err == nil && pid > 0 {
			return &Holder{PID: pid, Program: program(proc, pid)}
		}
	}
	return nil
}

// fileHolder finds a process that has the file open. Other users' processes cannot be seen without root.
func fileHolder(proc, path string) *Holder {
	links, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "fd", "*"))
	if err != nil {
		return nil
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err != nil || to != path {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(link))))
		if err == nil && pid != os.Getpid() {
			return &Holder{PID: pid, Program: program(proc, pid)}
		}
	}
	return nil
}

func program(proc string, pid int) string {
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "comm"))
	if err != nil {
		return "a program"
	}
	return strings.TrimSpace(string(b))
}
