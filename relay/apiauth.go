package relay

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"sync"
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
	timeout := body.TokenTimeoutSeconds
	if timeout == 0 {
		timeout = tokenTimeout
	}
	if timeout < 1 || timeout > maxTokenTimeout {
		return nil, badField("tokenTimeoutSeconds", timeout, fmt.Sprintf("seconds from 1 to %d", maxTokenTimeout))
	}
	if body.AuthKeyID == "" || body.AuthKey == "" {
		return nil, apiErrorf(http.StatusUnauthorized, codeUnauthorized, "authKeyId and authKey are needed: passwords are not known here")
	}
	key, err := r.store.Key(c.Context(), body.AuthKeyID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("reading a key: %w", err)
	}
	if err != nil || subtle.ConstantTimeCompare(key.Hash, []byte(hashSecret(body.AuthKey))) != 1 {
		r.log.Warn("authentication failed", "key", body.AuthKeyID, "client", c.caller.String())
		return nil, apiErrorf(http.StatusUnauthorized, codeUnauthorized, "the authentication key is not known, or its secret is wrong")
	}
	return r.issue(key.ID, time.Duration(timeout)*time.Second)
}

func (r *Relay) issue(keyID string, life time.Duration) (*relayapi.AuthResponse, error) {
	now := r.cfg.Clock.Now()
	apiKey := "api-" + newUUID()
	cl := claims{ID: newUUID(), KeyID: keyID, APIKey: hashSecret(apiKey), IssuedAt: now.Unix(), Expires: now.Add(life).Unix()}
	cl.Operator.OperatorID = operatorID
	token, err := signToken(r.tokenKey, cl)
	if err != nil {
		return nil, err
	}
	return &relayapi.AuthResponse{APIKey: apiKey, Token: token, OperatorID: operatorID}, nil
}

// authenticate checks both headers, and that the key behind them still exists.
func (r *Relay) authenticate(req *http.Request) (claims, error) {
	token, apiKey := req.Header.Get(relayapi.HeaderToken), req.Header.Get(relayapi.HeaderAPIKey)
	if token == "" || apiKey == "" {
		return claims{}, errCredentials
	}
	cl, err := verifyToken(r.tokenKey, token, apiKey, r.cfg.Clock.Now())
	if err != nil || r.loggedOut.has(cl.ID) {
		return claims{}, errCredentials
	}
	if _, err := r.store.Key(req.Context(), cl.KeyID); errors.Is(err, store.ErrNotFound) {
		return claims{}, errCredentials // revoked
	} else if err != nil {
		return claims{}, fmt.Errorf("reading a key: %w", err)
	}
	return cl, nil
}

func (r *Relay) postLogout(c *call) (any, error) {
	r.loggedOut.add(c.claims, r.cfg.Clock.Now())
	return nil, nil
}

// loggedOut are the tokens that were given back before their end. In memory only: after a restart such a token would live until its end, a
// day by default; revoking its key ends it for good.
type loggedOut struct {
	mu     sync.Mutex
	expiry map[string]int64 // guarded by mu: token's id to its end, seconds since 1970
}

func (l *loggedOut) add(c claims, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, end := range l.expiry {
		if end < now.Unix() {
			delete(l.expiry, id)
		}
	}
	if l.expiry == nil {
		l.expiry = make(map[string]int64)
	}
	l.expiry[c.ID] = c.Expires
}

func (l *loggedOut) has(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.expiry[id]
	return ok
}
