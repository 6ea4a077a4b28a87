package hostnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"minato/agent/atomicfile"
)

// DNS is how the system learns of the closed network's name servers.
type DNS struct {
	Method  string       // of DNSMethods, or "auto": the first of them that is there; "none" and "": it does not
	Servers []netip.Addr // as the network told
	Domains []string     // what they are asked for, where the method can tell names apart; none: everything
	File    string       // "": /etc/resolv.conf
}

// DNSMethods are the ways, in the order in which auto looks.
var DNSMethods = []string{"resolved", "resolvconf", "file"}

// A dnsMethod sets name servers, and takes them back.
type dnsMethod struct {
	there   func() bool
	prepare func(d DNS, r *dnsRecord) error // notes what restore needs
	set     func(d DNS, r *dnsRecord) error
	restore func(r *dnsRecord, log *slog.Logger) error
	passing bool // what is set goes with the interface: it may be set where nothing can be noted
}

var dnsMethods = map[string]dnsMethod{
	"resolved":   {there: resolvedRuns, prepare: nothing, set: setResolved, restore: restoreResolved, passing: true},
	"resolvconf": {there: hasResolvconf, prepare: nothing, set: setResolvconf, restore: restoreResolvconf},
	"file":       {there: func() bool { return true }, prepare: readFile, set: setFile, restore: restoreFile},
}

func nothing(DNS, *dnsRecord) error { return nil }

// dnsRecord is what a method needs to take its servers back.
type dnsRecord struct {
	Method    string `json:"method"`
	Interface string `json:"interface"`

	// Of method file: path, what was there, and what is there now.
	Path   string      `json:"path,omitempty"`
	Target string      `json:"target,omitempty"` // of a symlink
	Absent bool        `json:"absent,omitempty"` // there was no file
	Mode   fs.FileMode `json:"mode,omitempty"`
	Before []byte      `json:"before,omitempty"`
	After  []byte      `json:"after,omitempty"`
}

func (d DNS) apply(iface string, undo *Undo) error {
	if d.Method == "" || d.Method == "none" || len(d.Servers) == 0 {
		return nil
	}
	if d.File == "" {
		d.File = "/etc/resolv.conf"
	}
	name := d.Method
	if name == "auto" {
		for _, name = range DNSMethods {
			if dnsMethods[name].there() {
				break
			}
		}
	}
	m, ok := dnsMethods[name]
	if !ok {
		return fmt.Errorf("there is no method %q", name)
	}
	if undo.hasDNS() { // what was there before them would be lost
		return errors.New("those of an earlier link are not restored")
	}
	r := &dnsRecord{Method: name, Interface: iface}
	if err := m.prepare(d, r); err != nil {
		return err
	}
	if err := undo.note(func(now *record) { now.DNS = r }); err != nil && !m.passing {
		return err
	}
	if err := m.set(d, r); err != nil {
		return fmt.Errorf("method %s: %w", name, err)
	}
	return nil
}

func (r *dnsRecord) restore(log *slog.Logger) error {
	m, ok := dnsMethods[r.Method]
	if !ok {
		return fmt.Errorf("there is no method %q", r.Method)
	}
	return m.restore(r, log)
}

// systemd-resolved asks the link's servers for its domains only, and forgets both with the interface.

const resolvedRuntime = "/run/systemd/resolve/stub-resolv.conf"

func resolvedRuns() bool {
	_, err := os.Stat(resolvedRuntime)
	return err == nil && isProgram("resolvectl")
}

func setResolved(d DNS, r *dnsRecord) error {
	domains := []string{"~."}
	if len(d.Domains) > 0 {
		domains = nil
		for _, name := range d.Domains {
			domains = append(domains, "~"+name)
		}
	}
	if err := call(nil, "resolvectl", append([]string{"dns", r.Interface}, d.addresses()...)...); err != nil {
		return err
	}
	return call(nil, "resolvectl", append([]string{"domain", r.Interface}, domains...)...)
}

func restoreResolved(r *dnsRecord, log *slog.Logger) error {
	if err := call(nil, "resolvectl", "revert", r.Interface); err != nil {
		log.Debug("systemd-resolved has forgotten the interface already", "error", err)
	}
	return nil
}

// resolvconf (Debian's, or openresolv) joins the servers of all interfaces to one file.

func hasResolvconf() bool { return isProgram("resolvconf") }

func setResolvconf(d DNS, r *dnsRecord) error {
	return call([]byte(d.lines()), "resolvconf", "-a", r.Interface+".minato")
}

func restoreResolvconf(r *dnsRecord, _ *slog.Logger) error {
	return call(nil, "resolvconf", "-d", r.Interface+".minato")
}

// The file itself, where nothing manages it: the closed network's servers first, and behind them what was there. A resolver asks the
// first one; where that refuses a name or is silent, the next (resolv.conf(5)).

const fileHead = "# By minato-agent while its link is up; what was here before follows, and comes back when the link ends.\n"

func readFile(d DNS, r *dnsRecord) error {
	r.Path = d.File
	fi, err := os.Lstat(d.File)
	if errors.Is(err, fs.ErrNotExist) {
		r.Absent = true
	} else if err != nil {
		return err
	} else if fi.Mode().Type() == fs.ModeSymlink {
		if r.Target, err = os.Readlink(d.File); err != nil {
			return err
		}
	} else {
		r.Mode = fi.Mode().Perm()
	}
	before, err := os.ReadFile(d.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a symlink may lead nowhere
		return err
	}
	if len(before) > maxRecord/4 {
		return fmt.Errorf("%s has %d octets: it is no resolv.conf", d.File, len(before))
	}
	if r.Target == "" {
		r.Before = before
	}
	r.After = append([]byte(fileHead+d.lines()), before...)
	return nil
}

func setFile(_ DNS, r *dnsRecord) error {
	err := atomicfile.Write(r.Path, r.After, 0o644)
	if errors.Is(err, syscall.EBUSY) {
		err = fmt.Errorf("%w: something is mounted on it, as in a container; set tun.dns to none", err)
	}
	return err
}

func restoreFile(r *dnsRecord, log *slog.Logger) error {
	fi, err := os.Lstat(r.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && fi.Mode().IsRegular() {
		now, err := os.ReadFile(r.Path)
		if err != nil {
			return err
		}
		if !bytes.Equal(now, r.After) {
			if !bytes.Equal(now, r.Before) {
				log.Info("another program has changed the name servers meanwhile: they stay", "file", r.Path)
			}
			return nil
		}
	} else {
		return nil // somebody removed it, or made a symlink of it again
	}
	switch {
	case r.Absent:
		return os.Remove(r.Path)
	case r.Target != "":
		temp := r.Path + ".minato"
		if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Symlink(r.Target, temp); err != nil {
			return err
		}
		return os.Rename(temp, r.Path)
	}
	return atomicfile.Write(r.Path, r.Before, r.Mode)
}

func (d DNS) addresses() []string {
	var out []string
	for _, s := range d.Servers {
		out = append(out, s.String())
	}
	return out
}

func (d DNS) lines() string {
	var b strings.Builder
	for _, s := range d.addresses() {
		b.WriteString("nameserver " + s + "\n")
	}
	return b.String()
}

func isProgram(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// callTimeout bounds a program of the system.
const callTimeout = 3 * time.Second

func call(stdin []byte, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.WaitDelay = bytes.NewReader(stdin), time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %.200s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
