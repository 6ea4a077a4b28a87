package relay

import (
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

var errCredentials = apiErrorf(http.StatusUnauthorized, codeUnauthorized,
	"the credentials are missing, wrong or have ended: POST /v1/auth gives an apiKey and a token, to be sent as %s and %s",
	relayapi.HeaderAPIKey, relayapi.HeaderToken)

// postAuth gives a token for an authentication key.
func (r *Relay) postAuth(c *call) (any, error) {
	var body struct {
		relayapi.AuthRequest
		// Napter's other ways in. They are known, so that the answer can say that they do not exist here.
		Email      string `json:"email"`
		Password   string `json:"password"`
		OperatorID string `json:"operatorId"`
		UserName   string `json:"userName"`
		MFAOTPCode string `json:"mfaOTPCode"`
	}
	if err := decodeBody(c, &body); err != nil {
		return nil, err
	}
	life, err := tokenLife(body.TokenTimeoutSeconds)
	if err != nil {
		return nil, err
	}
	if body.AuthKeyID == "" || body.AuthKey == "" {
		return nil, apiErrorf(http.StatusUnauthorized, codeUnauthorized,
			"authKeyId and authKey are needed: this relay has no passwords, so email, operatorId and userName do not open it")
	}
	key, err := r.store.Key(c.Context(), body.AuthKeyID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("reading a key: %w", err)
	}
	if err != nil || subtle.ConstantTimeCompare(key.Hash, []byte(hashSecret(body.AuthKey))) != 1 {
		r.log.Warn("authentication failed", "key", quote(body.AuthKeyID), "client", c.caller.String())
		return nil, apiErrorf(http.StatusUnauthorized, codeUnauthorized, "the authentication key is not known, or its secret is wrong")
	}
	c.key = key
	apiKey := "api-" + newUUID()
	token, err := r.issue(key.ID, hashSecret(apiKey), life)
	if err != nil {
		return nil, err
	}
	return relayapi.AuthResponse{APIKey: apiKey, Token: token, OperatorID: operatorID, UserName: key.Name}, nil
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

// issue makes a token that goes with one API key.
func (r *Relay) issue(keyID, apiKeyHash string, life time.Duration) (string, error) {
	now := r.cfg.Clock.Now()
	cl := claims{ID: newUUID(), KeyID: keyID, APIKey: apiKeyHash, IssuedAt: now.Unix(), Expires: now.Add(life).Unix()}
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
	token, err := r.issue(c.claims.KeyID, c.claims.APIKey, life)
	if err != nil {
		return nil, err
	}
	return relayapi.TokenResponse{Token: token}, nil
}

// authenticate checks both headers, that the token was not given back, and that the key behind it still exists.
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
	key, err := r.store.Key(c.Context(), cl.KeyID)
	if errors.Is(err, store.ErrNotFound) {
		return errCredentials // revoked
	}
	if err != nil {
		return fmt.Errorf("reading a key: %w", err)
	}
	c.claims, c.key = cl, key
	return nil
}

// postLogout ends the token for good, on every node and after a restart.
func (r *Relay) postLogout(c *call) (any, error) {
	left := time.Unix(c.claims.Expires, 0).Sub(r.cfg.Clock.Now())
	return nil, r.store.EndToken(c.Context(), c.claims.ID, left)
}
