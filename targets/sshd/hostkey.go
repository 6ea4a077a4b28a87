package sshd

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	gossh "golang.org/x/crypto/ssh"
)

// hostKey reads the key of a file, or makes one and keeps it there.
func hostKey(file string) (gossh.Signer, error) {
	if file == "" {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("making the SSH host key: %w", err)
		}
		return gossh.NewSignerFromKey(key)
	}
	signer, err := readHostKey(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return signer, err
	}
	return makeHostKey(file)
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

// makeHostKey writes beside the file and renames, so that a power cut leaves a whole key or none.
func makeHostKey(file string) (_ gossh.Signer, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("making the SSH host key %q: %w", file, err)
		}
	}()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := gossh.MarshalPrivateKey(key, "minato host key")
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*") // with mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	if _, err = f.Write(pem.EncodeToMemory(block)); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return nil, err
	}
	return gossh.NewSignerFromKey(key)
}

// parseAuthorizedKeys refuses a line with options: they take rights away, and ignoring them would grant what was not meant.
func parseAuthorizedKeys(lines []string) (map[string]struct{}, error) {
	keys := make(map[string]struct{})
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, _, options, _, err := gossh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return nil, fmt.Errorf("parsing line %d of the authorized SSH keys: %w", i+1, err)
		}
		if len(options) > 0 {
			return nil, fmt.Errorf("parsing line %d of the authorized SSH keys: options are not supported: %q", i+1, options)
		}
		keys[string(key.Marshal())] = struct{}{}
	}
	return keys, nil
}
