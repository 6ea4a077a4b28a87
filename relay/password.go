package relay

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/time/rate"
)

// Argon2id's costs (RFC 9106 section 3.1): 19 MiB and two passes, the least that OWASP's password storage cheat sheet advises. They stand in each
// hash, so that they may rise later.
const (
	argonMemory  = 19 << 10 // KiB
	argonPasses  = 2
	argonThreads = 1
	argonSalt    = 16 // bytes
	argonKey     = 32 // bytes
)

// Bounds of a password in bytes.
const (
	minPassword = 8
	maxPassword = 128
)

// hashPassword gives the hash in the usual text form, $argon2id$v=19$m=...,t=...,p=...$salt$key.
func hashPassword(password string) string {
	salt := make([]byte, argonSalt)
	rand.Read(salt)
	key := argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonThreads, argonKey)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonThreads, b64(salt), b64(key))
}

// checkPassword tells whether a password has a hash that hashPassword made.
func checkPassword(hash, password string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 {
		return false
	}
	var version, memory, passes uint32
	var threads uint8
	if n, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &threads); n != 4 || err != nil || version != argon2.Version {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) == 0 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

// passwordID names a hash in a token, without giving it away: a new password ends the tokens of the old one.
func passwordID(hash string) string {
	sum := sha256.Sum256([]byte(hash))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// passwords bounds what checking them costs, and how fast they can be guessed.
type passwords struct {
	hashing chan struct{} // holds one for each hash under way: each takes 19 MiB and some 20 ms of a core
	decoy   string        // hash that stands in for the one of a user who does not exist, so that the answer takes as long
	tries   limiters[guesser]
}

// guesser is who tries passwords of whom: others can sign in meanwhile, and so can the user from elsewhere.
type guesser struct {
	user string
	from netip.Addr
}

// Failed tries: so many at once, then one in a while.
const (
	passwordTries    = 10
	passwordInterval = 10 * time.Second
)

func newPasswords() *passwords {
	const atOnce = 2
	return &passwords{
		hashing: make(chan struct{}, atOnce),
		decoy:   hashPassword(newSecret()),
		tries:   limiters[guesser]{limit: rate.Every(passwordInterval), burst: passwordTries},
	}
}

// hash is hashPassword when its turn comes.
func (p *passwords) hash(ctx context.Context, password string) (hash string, err error) {
	err = p.inTurn(ctx, func() { hash = hashPassword(password) })
	return hash, err
}

// check tells whether a password fits a hash; "" fits none. What was tried too often gets an apiError.
func (p *passwords) check(c *call, user, hash, password string, now time.Time) (good bool, err error) {
	try, err := p.tries.take(c, guesser{user, party(c.caller.Addr())}, now)
	if err != nil {
		return false, err
	}
	known := hash != ""
	if !known {
		hash = p.decoy
	}
	err = p.inTurn(c.Context(), func() { good = checkPassword(hash, password) && known })
	if good {
		try.CancelAt(now) // it was no guess
	}
	return good, err
}

func (p *passwords) inTurn(ctx context.Context, do func()) error {
	select {
	case p.hashing <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-p.hashing }()
	do()
	return nil
}
