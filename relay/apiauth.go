package relay

import (
	"cmp"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"time"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// Token lifetimes in seconds, Napter's.
const (
	tokenTimeout    = 86400
	maxTokenTimeout = 172800
)

// principal is who calls: an authentication key, or a user who signed in with a password.
type principal struct {
	id       string // unlike any other's; "": nobody is known
	keyID    string // of a key
	name     string // of the key, or of the user
	role     string
	password string // of a user: names the password that they signed in with
	scope    scope
}

func keyPrincipal(k store.Key) principal {
	return principal{id: k.ID, keyID: k.ID, name: k.Name, role: k.Role, scope: scope{k.SIMs, k.Tags}}
}

// userPrefix tells users from keys in a token's subject: no key's id has it.
const userPrefix = "user/"

func userPrincipal(u store.User) principal {
	return principal{id: userPrefix + u.Name, name: u.Name, role: u.Role, password: passwordID(u.Hash), scope: scope{u.SIMs, u.Tags}}
}

// isUser tells a user from a key.
func (p principal) isUser() bool { return p.id != "" && p.keyID == "" }

var errCredentials = apiErrorf(http.StatusUnauthorized, codeUnauthorized,
	"the credentials are missing, wrong or have ended: POST /v1/auth gives an apiKey and a token, to be sent as %s and %s",
	relayapi.HeaderAPIKey, relayapi.HeaderToken)

// postAuth gives a token for an authentication key, or for a user's password.
func (r *Relay) postAuth(c *call) (any, error) {
	var body relayapi.AuthRequest
	if err := decodeBody(c, &body); err != nil {
		return nil, err
	}
	life, err := tokenLife(body.TokenTimeoutSeconds)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(checkLength("authKeyId", body.AuthKeyID, maxID), checkLength("userName", body.UserName, maxID)); err != nil {
		return nil, err
	}
	switch {
	case body.AuthKeyID != "" && body.AuthKey != "":
		c.who, err = r.signInKey(c, body.AuthKeyID, body.AuthKey)
	case body.UserName != "" && body.Password != "":
		c.who, err = r.signInUser(c, body)
	default:
		err = apiErrorf(http.StatusUnauthorized, codeUnauthorized,
			"either authKeyId and authKey are needed, or operatorId, userName and password; there is no sign-in by email here")
	}
	if err != nil {
		return nil, err
	}
	apiKey := "api-" + newUUID()
	token, err := r.issue(claims{Subject: c.who.id, Password: c.who.password, APIKey: hashSecret(apiKey)}, life)
	if err != nil {
		return nil, err
	}
	return relayapi.AuthResponse{APIKey: apiKey, Token: token, OperatorID: operatorID, UserName: c.who.name}, nil
}

func (r *Relay) signInKey(c *call, id, secret string) (principal, error) {
	key, err := r.store.Key(c.Context(), id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return principal{}, fmt.Errorf("reading a key: %w", err)
	}
	if err != nil || subtle.ConstantTimeCompare(key.Hash, []byte(hashSecret(secret))) != 1 {
		r.log.Warn("authentication failed", "key", quote(id), "client", c.caller.String())
		return principal{}, apiErrorf(http.StatusUnauthorized, codeUnauthorized, "the authentication key is not known, or its secret is wrong")
	}
	return keyPrincipal(key), nil
}

func (r *Relay) signInUser(c *call, body relayapi.AuthRequest) (principal, error) {
	u, err := r.store.User(c.Context(), body.UserName)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return principal{}, fmt.Errorf("reading a user: %w", err)
	}
	good, err := r.passwords.check(c, body.UserName, u.Hash, body.Password, r.cfg.Clock.Now())
	if err != nil {
		return principal{}, err
	}
	if !good || body.OperatorID != operatorID {
		r.log.Warn("authentication failed", "user", quote(body.UserName), "client", c.caller.String())
		return principal{}, apiErrorf(http.StatusUnauthorized, codeUnauthorized, "the operator or the user is not known, or the password is wrong")
	}
	return userPrincipal(u), nil
}

// tokenLife is how long a token shall live.
func tokenLife(seconds int) (time.Duration, error) {
	if seconds == 0 {
		seconds = tokenTimeout
	}
	if seconds < 1 || seconds > maxTokenTimeout {
		return 0, badField("tokenTimeoutSeconds", seconds, "seconds from 1 to %d", maxTokenTimeout)
	}
	return time.Duration(seconds) * time.Second, nil
}

// issue makes a token out of claims that say whom it is for, and which API key it goes with.
func (r *Relay) issue(cl claims, life time.Duration) (string, error) {
	now := r.cfg.Clock.Now()
	cl.ID, cl.IssuedAt, cl.Expires = newUUID(), now.Unix(), now.Add(life).Unix()
	cl.Operator.OperatorID = operatorID
	return signToken(r.tokenKey, cl)
}

// postToken gives another token for the caller's API key: how a long job stays authenticated without keeping the secret.
func (r *Relay) postToken(c *call) (any, error) {
	if id := c.PathValue("operator_id"); id != operatorID {
		return nil, apiErrorf(http.StatusNotFound, codeNoOperator, "operator %s is not known", quote(id))
	}
	var body struct {
		TokenTimeoutSeconds int `json:"tokenTimeoutSeconds"`
	}
	if err := decodeOptionalBody(c, &body); err != nil {
		return nil, err
	}
	life, err := tokenLife(body.TokenTimeoutSeconds)
	if err != nil {
		return nil, err
	}
	token, err := r.issue(c.claims, life)
	if err != nil {
		return nil, err
	}
	return relayapi.TokenResponse{Token: token}, nil
}

// authenticate checks both headers, that the token was not given back, and that the key or the user behind it still exists.
func (r *Relay) authenticate(c *call) error {
	token, apiKey := c.Header.Get(relayapi.HeaderToken), c.Header.Get(relayapi.HeaderAPIKey)
	if token == "" || apiKey == "" {
		return errCredentials
	}
	cl, err := verifyToken(r.tokenKey, token, apiKey, r.cfg.Clock.Now())
	if err != nil {
		return errCredentials
	}
	if ended, err := r.store.TokenEnded(c.Context(), cl.ID); err != nil {
		return fmt.Errorf("reading the ended tokens: %w", err)
	} else if ended {
		return errCredentials
	}
	who, err := r.principalOf(c, cl.Subject)
	if errors.Is(err, store.ErrNotFound) || err == nil && who.password != cl.Password {
		return errCredentials // revoked, removed, or with a new password
	}
	if err != nil {
		return fmt.Errorf("reading who calls: %w", err)
	}
	c.claims, c.who = cl, who
	return nil
}

// postLogout ends the token for good, on every node and after a restart.
func (r *Relay) postLogout(c *call) (any, error) {
	left := time.Unix(c.claims.Expires, 0).Sub(r.cfg.Clock.Now())
	return nil, r.store.EndToken(c.Context(), c.claims.ID, left)
}
