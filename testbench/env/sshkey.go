package env

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
)

// SSHKey is a key pair made for one environment.
type SSHKey struct {
	File       string // private key, OpenSSH PEM, mode 0600
	PEM        []byte // the same
	Authorized string // a line for authorized_keys
}

// sshKey is the key pair of a directory: the one that an environment before has left there, as the other state is kept too, or a new one.
func sshKey(dir string) (SSHKey, error) {
	k := SSHKey{File: filepath.Join(dir, "id_field")}
	var err error
	if k.PEM, err = os.ReadFile(k.File); errors.Is(err, fs.ErrNotExist) {
		if k.PEM, err = newSSHKey(); err == nil {
			err = os.WriteFile(k.File, k.PEM, 0o600)
		}
	}
	if err != nil {
		return SSHKey{}, err
	}
	signer, err := ssh.ParsePrivateKey(k.PEM)
	if err != nil {
		return SSHKey{}, fmt.Errorf("reading the SSH key %s (remove it for a new one): %w", k.File, err)
	}
	k.Authorized = string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	return k, nil
}

func newSSHKey() ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making an SSH key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(key, "testbench")
	if err != nil {
		return nil, fmt.Errorf("encoding an SSH key: %w", err)
	}
	return pem.EncodeToMemory(block), nil
}

// HostKey is the public key by which the first device's SSH server is known.
func (e *Env) HostKey() (ssh.PublicKey, error) {
	b, err := os.ReadFile(e.hostKeyFile())
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("reading the device's host key: %w", err)
	}
	return signer.PublicKey(), nil
}

func (e *Env) hostKeyFile() string { return filepath.Join(e.Dir, "ssh_host_key") }
