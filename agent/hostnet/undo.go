package hostnet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"minato/agent/atomicfile"
)

const (
	undoName  = "agent-network.json" // in the state directory
	lockName  = "agent-network.lock"
	maxRecord = 1 << 20
)

// ErrInUse is a state directory whose network settings are those of a running process.
var ErrInUse = errors.New("a running agent has its link set up")

// A record is what must be undone. A step is noted before it is made.
type record struct {
	Rule netip.Addr `json:"rule,omitzero"` // of answers from this address
	DNS  *dnsRecord `json:"dns,omitempty"`
}

func (r record) empty() bool { return !r.Rule.IsValid() && r.DNS == nil }

// Undo is the undo file of one process. Make it with OpenUndo; end it with Close.
type Undo struct {
	dir  string
	log  *slog.Logger
	lock *os.File

	mu  sync.Mutex // guards now
	now record
}

// OpenUndo takes the undo file in the directory, and undoes what a process that was killed left. It is ErrInUse while another has it. What
// cannot be undone now stays noted, and is logged: a device whose disk is full or read-only needs its link more than ever.
func OpenUndo(dir string, log *slog.Logger) (*Undo, error) {
	u, err := openUndo(dir, log)
	if err != nil {
		return nil, err
	}
	if err := u.Restore(); err != nil {
		log.Warn(notRestored, "error", err)
	}
	return u, nil
}

const notRestored = "what a link changed in the system is not restored"

func openUndo(dir string, log *slog.Logger) (*Undo, error) {
	u := &Undo{dir: dir, log: log}
	var err error
	if u.lock, err = openLock(dir); err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(u.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { // the kernel gives it back when the process dies
		u.lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return nil, fmt.Errorf("locking %q: %w", u.lock.Name(), err)
	}
	if err := u.read(); err != nil {
		u.lock.Close()
		return nil, err
	}
	if !u.now.empty() {
		log.Info("restoring the system's network: the last agent did not end in order")
	}
	return u, nil
}

// openLock opens what the process locks: a file, or, where the disk takes no new one, the directory.
func openLock(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		f, err = os.Open(path)
	}
	if err != nil {
		f, err = os.Open(dir)
	}
	return f, err
}

// Restore undoes what a process that was killed left behind, as OpenUndo does, and no more.
func Restore(dir string, log *slog.Logger) error {
	if _, err := os.Stat(filepath.Join(dir, undoName)); errors.Is(err, fs.ErrNotExist) {
		return nil // there was never a link that changed anything
	}
	u, err := openUndo(dir, log)
	if err != nil {
		return err
	}
	return errors.Join(u.Restore(), u.Close())
}

// Close gives the undo file back.
func (u *Undo) Close() error { return u.lock.Close() }

func (u *Undo) path() string { return filepath.Join(u.dir, undoName) }

// read takes what the file has. One that is none is put aside.
func (u *Undo) read() error {
	fi, err := os.Stat(u.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var b []byte
	if err == nil && fi.Size() <= maxRecord {
		b, err = os.ReadFile(u.path())
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &u.now); err != nil {
		u.now = record{}
		err = errors.Join(err, os.Rename(u.path(), u.path()+".bad"))
		u.log.Warn("the undo file is unreadable, and put aside", "file", u.path(), "error", err)
	}
	return nil
}

// note changes the record, and makes it last. On an error this process still knows it.
func (u *Undo) note(change func(*record)) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	change(&u.now)
	b, err := json.MarshalIndent(u.now, "", "  ")
	if err == nil {
		err = atomicfile.Write(u.path(), append(b, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("noting what is to be restored: %w", err)
	}
	return nil
}

// hasDNS tells whether name servers wait to be restored.
func (u *Undo) hasDNS() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.now.DNS != nil
}

// Restore undoes what is noted. What fails stays noted.
func (u *Undo) Restore() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.now.empty() {
		return nil
	}
	var errs []error
	if from := u.now.Rule; from.IsValid() {
		// A rule that is not there was never made, or removed by somebody else.
		if err := answerRule(unix.RTM_DELRULE, 0, from); err != nil && !errors.Is(err, syscall.ENOENT) {
			errs = append(errs, fmt.Errorf("removing the rule for answers from %s: %w", from, explain(err)))
		} else {
			u.now.Rule = netip.Addr{}
		}
	}
	if d := u.now.DNS; d != nil {
		if err := d.restore(u.log); err != nil {
			errs = append(errs, fmt.Errorf("restoring the name servers: %w", err))
		} else {
			u.now.DNS = nil
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	err := os.Remove(u.path())
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = atomicfile.SyncDir(u.dir)
	}
	if err != nil { // to go by it once more changes nothing
		u.log.Warn("all is restored, but the undo file stays", "error", err)
	}
	return nil
}
