package env

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
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

func newSSHKey(dir string) (SSHKey, error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return SSHKey{}, fmt.Errorf("making an SSH key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(priv, "testbench")
	if err != nil {
		return SSHKey{}, fmt.Errorf("encoding an SSH key: %w", err)
	}
	public, err := ssh.NewPublicKey(pub)
	if err != nil {
		return SSHKey{}, fmt.Errorf("encoding an SSH key: %w", err)
	}
	k := SSHKey{File: filepath.Join(dir, "id_field"), PEM: pem.EncodeToMemory(block), Authorized: string(ssh.MarshalAuthorizedKey(public))}
	return k, os.WriteFile(k.File, k.PEM, 0o600)
}
