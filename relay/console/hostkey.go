package console

import (
	"bytes"
	"context"

	"golang.org/x/crypto/ssh"
)

// hostKeyCheck trusts a device's host key on first use: the user sees its fingerprint, and the SIM keeps it. A SIM whose device shows another key later is
// not connected before the user has seen both.
type hostKeyCheck struct {
	keys  HostKeys
	s     *socket
	simID string
}

func (h *hostKeyCheck) judge(ctx context.Context, key ssh.PublicKey) error {
	known, err := h.keys.HostKey(ctx, h.simID)
	if err != nil {
		return err
	}
	if bytes.Equal(known, key.Marshal()) {
		return nil
	}
	question := struct {
		Algorithm   string `json:"algorithm"`
		Fingerprint string `json:"fingerprint"`
		Known       string `json:"known,omitempty"` // of the pinned key, which this is not
	}{key.Type(), ssh.FingerprintSHA256(key), ""}
	if known != nil {
		question.Known = "unreadable"
		if old, err := ssh.ParsePublicKey(known); err == nil {
			question.Known = ssh.FingerprintSHA256(old)
		}
	}
	if err := h.s.tell(ctx, "hostkey", question); err != nil {
		return err
	}
	var answer struct {
		Accept bool `json:"accept"`
	}
	if err := h.s.hear(ctx, &answer); err != nil {
		return err
	}
	if !answer.Accept {
		return errHostKey
	}
	return h.keys.PinHostKey(ctx, h.simID, key.Marshal())
}
