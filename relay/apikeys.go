package relay

import (
	"errors"
	"net/http"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// Bounds of a key's description, the second of a user's too.
const (
	maxKeyName  = 100
	maxKeyScope = 1000
)

func (r *Relay) listKeys(c *call) (any, error) {
	keys, err := r.store.Keys(c.Context())
	if err != nil {
		return nil, err
	}
	list := make([]relayapi.Key, 0, len(keys))
	for _, k := range keys {
		list = append(list, keyAnswer(k))
	}
	return page(c, list, maxPage, func(k relayapi.Key) string { return k.AuthKeyID })
}

// createKeyCall makes a key. Its secret is in this answer and nowhere else.
func (r *Relay) createKeyCall(c *call) (any, error) {
	var body relayapi.CreateKeyRequest
	if err := decodeBody(c, &body); err != nil {
		return nil, err
	}
	if err := checkPermission(body.Role, body.SIMIDs, body.Tags); err != nil {
		return nil, err
	}
	if len(body.Name) > maxKeyName {
		return nil, badField("name", body.Name, "at most %d characters", maxKeyName)
	}
	id, secret, err := createKey(c.Context(), r.store, Key{Name: body.Name, Role: body.Role, SIMs: body.SIMIDs, Tags: body.Tags}, r.cfg.Clock.Now())
	if err != nil {
		return nil, err
	}
	k, err := r.store.Key(c.Context(), id)
	if err != nil {
		return nil, err
	}
	a := keyAnswer(k)
	a.AuthKey = secret
	return a, nil
}

func (r *Relay) revokeKey(c *call) (any, error) {
	id := c.PathValue("auth_key_id")
	err := r.store.DeleteKey(c.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, apiErrorf(http.StatusNotFound, codeNoKey, "there is no authentication key %s", quote(id))
	}
	return nil, err
}

func keyAnswer(k store.Key) relayapi.Key {
	return relayapi.Key{AuthKeyID: k.ID, Name: k.Name, Role: k.Role, SIMIDs: k.SIMs, Tags: k.Tags, CreatedTime: k.CreatedAt.UnixMilli()}
}
