package sshd

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	gossh "golang.org/x/crypto/ssh"
)

// A hostKey is the server's identity. A file that cannot be read or written leaves the device reachable: the key is then one in memory, whose
// clients are warned that it changed, and each connection tries the file again.
type hostKey struct {
	file string // "": memory alone
	log  *slog.Logger

	mu     sync.Mutex         // guards what follows
	fresh  ed25519.PrivateKey // for a file that is not there
	signer gossh.Signer
	kept   bool // the file has it
	told   string
}

func newHostKey(file string, log *slog.Logger) (*hostKey, error) {
	_, fresh, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the SSH host key: %w", err)
	}
	signer, err := gossh.NewSignerFromKey(fresh)
	return &hostKey{file: file, log: log, fresh: fresh, signer: signer, kept: file == ""}, err
}

// get gives the key of the file; of one that is not there it makes the file first.
func (k *hostKey) get() gossh.Signer {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept {
		return k.signer
	}
	signer, err := readHostKey(k.file)
	if errors.Is(err, fs.ErrNotExist) {
		signer, err = k.signer, writeHostKey(k.file, k.fresh)
	}
	if err == nil {
		k.signer, k.kept = signer, true
	} else if k.told != err.Error() {
		k.told = err.Error()
		k.log.Warn("the SSH host key is not the file's, and lasts until the end of this process", "error", err)
	}
	return k.signer
}

func readHostKey(file string) (gossh.Signer, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("reading the SSH host key: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("reading the SSH host key %q: mode %#o lets others read it, want 0600", file, mode)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the SSH host key: %w", err)
	}
	signer, err := gossh.ParsePrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("reading the SSH host key %q: %w", file, err)
	}
	if kind := signer.PublicKey().Type(); kind != gossh.KeyAlgoED25519 {
		return nil, fmt.Errorf("reading the SSH host key %q: it is of type %s, want %s", file, kind, gossh.KeyAlgoED25519)
	}
	return signer, nil
}

// writeHostKey writes beside the file and renames, so that a power cut leaves a whole key or none.
func writeHostKey(file string, key ed25519.PrivateKey) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("keeping the SSH host key %q: %w", file, err)
		}
	}()
	block, err := gossh.MarshalPrivateKey(key, "minato host key")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	if _, err = f.Write(pem.EncodeToMemory(block)); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

func parseAuthorizedKeys(lines []string) (map[string]struct{}, error) {
	keys := make(map[string]struct{})
	for i, line := range lines {
		key, err := parseAuthorizedKey(line)
		if err != nil {
			return nil, fmt.Errorf("parsing line %d of the authorized SSH keys: %w", i+1, err)
		}
		if key != nil {
			keys[string(key.Marshal())] = struct{}{}
		}
	}
	return keys, nil
}

// parseAuthorizedKey refuses a line with options: they take rights away, and ignoring them would grant what was not meant. An empty line and a
// comment have no key.
func parseAuthorizedKey(line string) (gossh.PublicKey, error) {
	line = strings.TrimSpace(line)
	if line == "" || strings.HasPrefix(line, "#") {
		return nil, nil
	}
	key, _, options, _, err := gossh.ParseAuthorizedKey([]byte(line))
	if len(options) > 0 {
		return nil, fmt.Errorf("options are not supported: %q", options)
	}
	return key, err
}

// CheckAuthorizedKey tells what is wrong with a line of Config.AuthorizedKeys.
func CheckAuthorizedKey(line string) error {
	_, err := parseAuthorizedKey(line)
	return err
}
