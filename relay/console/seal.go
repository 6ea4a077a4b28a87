package console

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
)

// A browser sends a cookie to every port of a host, so also to a mapping's, where a device answers (RFC 6265 section 8.5). So the cookie of a session is
// sealed, and its key is the page's: a page's storage is bound to the port. Neither half is worth anything without the other, and the console remembers
// neither.

// sessionKeyHeader carries the key with each call of a page. A page of another origin cannot set it.
const sessionKeyHeader = "X-Minato-Session-Key"

// A WebSocket has no headers that a page can set, but names of protocols, which unlike the address are not written to logs of what is on the way: the
// page offers socketProtocol, which is spoken, and one that is the key behind socketKeyPrefix.
const (
	socketProtocol  = "minato"
	socketKeyPrefix = "key."
)

// sessionKeySize is AES-256's.
const sessionKeySize = 32

// seal gives the two halves of a session: a new key, and the secret sealed with it.
func seal(secret string) (key, sealed string, err error) {
	k := make([]byte, sessionKeySize)
	rand.Read(k)
	aead, err := newAEAD(k)
	if err != nil {
		return "", "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode(k), encode(aead.Seal(nil, nil, []byte(secret), nil)), nil
}

// unseal gives the secret if the halves are of one session.
func unseal(key, sealed string) (secret string, ok bool) {
	k, err := base64.RawURLEncoding.Strict().DecodeString(key)
	if err != nil || len(k) != sessionKeySize {
		return "", false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return "", false
	}
	aead, err := newAEAD(k)
	if err != nil {
		return "", false
	}
	b, err = aead.Open(nil, nil, b, nil)
	return string(b), err == nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// sessionKey is the page's half, or "".
func sessionKey(req *http.Request) string {
	if key := req.Header.Get(sessionKeyHeader); key != "" {
		return key
	}
	for _, line := range req.Header.Values("Sec-WebSocket-Protocol") {
		for protocol := range strings.SplitSeq(line, ",") {
			if key, ok := strings.CutPrefix(strings.TrimSpace(protocol), socketKeyPrefix); ok {
				return key
			}
		}
	}
	return ""
}
