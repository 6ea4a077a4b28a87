package env

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"sync"
)

// secrets are the TLS secrets of a story's own clients, in the lines of the NSS key log format. They are written into the capture, so that Wireshark
// shows what was inside; the keys are of a test run and open nothing else.
type secrets struct {
	mu  sync.Mutex
	log bytes.Buffer // guarded by mu
}

func (s *secrets) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

// Secrets takes the TLS secrets of a client, as tls.Config.KeyLogWriter does.
func (e *Env) Secrets() io.Writer { return &e.secrets }

// Block types of pcapng, draft-ietf-opsawg-pcapng section 4.1 and 4.7.
const (
	sectionHeaderBlock     = 0x0a0d0d0a
	decryptionSecretsBlock = 0x0000000a
	tlsKeyLog              = 0x544c534b // secrets type
	byteOrderMagic         = 0x1a2b3c4d
)

// addTo puts a Decryption Secrets Block behind the section header of a pcapng file, since a reader needs it before the packets.
func (s *secrets) addTo(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log.Len() == 0 {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("adding the TLS secrets to the capture: %w", err)
	}
	if len(b) < 12 || binary.LittleEndian.Uint32(b) != sectionHeaderBlock || binary.LittleEndian.Uint32(b[8:]) != byteOrderMagic {
		return fmt.Errorf("adding the TLS secrets to %s: it is no little-endian pcapng file", path)
	}
	head := int(binary.LittleEndian.Uint32(b[4:]))
	if head > len(b) {
		return fmt.Errorf("adding the TLS secrets to %s: its section header is cut", path)
	}
	data := s.log.Bytes()
	padded := (len(data) + 3) / 4 * 4
	total := uint32(20 + padded) // type, length, secrets type, secrets length, data, length again
	block := binary.LittleEndian.AppendUint32(nil, decryptionSecretsBlock)
	block = binary.LittleEndian.AppendUint32(block, total)
	block = binary.LittleEndian.AppendUint32(block, tlsKeyLog)
	block = binary.LittleEndian.AppendUint32(block, uint32(len(data)))
	block = append(append(block, data...), make([]byte, padded-len(data))...)
	block = binary.LittleEndian.AppendUint32(block, total)
	return os.WriteFile(path, bytes.Join([][]byte{b[:head], block, b[head:]}, nil), 0o644)
}
