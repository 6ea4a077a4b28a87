package relay

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// operatorID is the one operator of a relay.
const operatorID = "OP0000000001"

// errToken is the one answer to a token that is not good: why is for the log, not for the caller.
var errToken = errors.New("the token is not valid")

// claims is the middle part of a token (RFC 7519). Napter's clients read operator.operatorId out of it.
type claims struct {
	Operator struct {
		OperatorID string `json:"operatorId"`
	} `json:"operator"`
	ID       string `json:"jti"`           // for logging out
	Subject  string `json:"sub"`           // id of the principal that it was made for
	Password string `json:"pwd,omitempty"` // of a user: names the password, so that another one ends the token
	APIKey   string `json:"ath"`           // hash of the API key that belongs to it: the one is worth nothing without the other
	IssuedAt int64  `json:"iat"`           // seconds since 1970, as Expires
	Expires  int64  `json:"exp"`
}

// tokenHeader is the only header that is made or accepted, so that no token can choose its algorithm (RFC 8725 section 3.1).
var tokenHeader = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))

// signToken makes a token.
func signToken(key []byte, c claims) (string, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encoding a token: %w", err)
	}
	signed := tokenHeader + "." + base64.RawURLEncoding.EncodeToString(payload)
	return signed + "." + base64.RawURLEncoding.EncodeToString(tokenMAC(key, signed)), nil
}

// verifyToken checks a token's signature, its end and the API key that came with it.
func verifyToken(key []byte, token, apiKey string, now time.Time) (claims, error) {
	var c claims
	signed, mac, ok := cutLast(token, ".")
	if !ok {
		return c, errToken
	}
	header, payload, ok := strings.Cut(signed, ".")
	if !ok || header != tokenHeader {
		return c, errToken
	}
	got, err := base64.RawURLEncoding.Strict().DecodeString(mac)
	if err != nil || !hmac.Equal(got, tokenMAC(key, signed)) {
		return c, errToken
	}
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return c, errToken
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return claims{}, errToken
	}
	if !now.Before(time.Unix(c.Expires, 0)) || subtle.ConstantTimeCompare([]byte(c.APIKey), []byte(hashSecret(apiKey))) != 1 {
		return claims{}, errToken
	}
	return c, nil
}

func tokenMAC(key []byte, signed string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(signed))
	return m.Sum(nil)
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// hashSecret is how keys are stored. The secrets are 256 random bits, so that a slow hash would protect nothing more.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
