package ppp

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
)

// Credentials are what a client said of itself. With AuthNone all are empty.
type Credentials struct {
	Protocol  AuthProtocol
	Name      string
	Password  string // PAP only
	ID        byte   // CHAP: the challenge's identifier,
	Challenge []byte // its value,
	Response  []byte // and the MD5 answer
}

// Matches tells whether the credentials were made with this user name and password. Constant time in the password.
func (c Credentials) Matches(name, password string) bool {
	if c.Name != name {
		return false
	}
	if c.Protocol == AuthCHAP {
		return subtle.ConstantTimeCompare(c.Response, chapAnswer(c.ID, password, c.Challenge)) == 1
	}
	// Of digests, since comparing the passwords would tell their lengths.
	got, want := sha256.Sum256([]byte(c.Password)), sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// chapAnswer is the Response Value of CHAP with MD5 (RFC 1994 section 4.1).
func chapAnswer(id byte, password string, challenge []byte) []byte {
	h := md5.New()
	h.Write([]byte{id})
	h.Write([]byte(password))
	h.Write(challenge)
	return h.Sum(nil)
}
