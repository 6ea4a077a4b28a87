package rfb

import (
	"crypto/des"
	"crypto/subtle"
	"math/bits"
)

// vncResponse is what a viewer answers to a challenge (section 7.2.2): each half encrypted by DES under the password, padded with
// zero bytes. DES numbers the bits of a key byte from the other end than VNC does.
func vncResponse(password string, challenge [vncAuthChallengeSize]byte) ([vncAuthChallengeSize]byte, error) {
	var key [des.BlockSize]byte
	copy(key[:], password)
	for i := range key {
		key[i] = bits.Reverse8(key[i])
	}
	var out [vncAuthChallengeSize]byte
	block, err := des.NewCipher(key[:])
	if err != nil {
		return out, err
	}
	for i := 0; i < len(out); i += des.BlockSize {
		block.Encrypt(out[i:], challenge[i:])
	}
	return out, nil
}

func vncResponseRight(password string, challenge, response [vncAuthChallengeSize]byte) bool {
	want, err := vncResponse(password, challenge)
	return err == nil && subtle.ConstantTimeCompare(want[:], response[:]) == 1
}
