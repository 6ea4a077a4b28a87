package relay

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// userName is the form of users' names, which stand in paths.
var userName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,49}$`)

// principalOf finds who a token was made for. ErrNotFound if they are no more.
func (r *Relay) principalOf(c *call, subject string) (principal, error) {
	if name, ok := strings.CutPrefix(subject, userPrefix); ok {
		u, err := r.store.User(c.Context(), name)
		return userPrincipal(u), err
	}
	k, err := r.store.Key(c.Context(), subject)
	return keyPrincipal(k), err
}

// getMe tells callers who they are, and what they may do and see.
func (r *Relay) getMe(c *call) (any, error) {
	me := relayapi.Me{
		OperatorID: operatorID, Role: c.who.role, SIMIDs: c.who.scope.sims, Tags: c.who.scope.tags, AuthKeyID: c.who.keyID,
		Name: c.who.name, Address: c.caller.Addr().String(), Expires: c.claims.Expires * 1000,
	}
	if c.who.isUser() {
		me.UserName = c.who.name
	}
	return me, nil
}

func (r *Relay) listUsers(c *call) (any, error) {
	users, err := r.store.Users(c.Context())
	if err != nil {
		return nil, err
	}
	list := make([]relayapi.User, 0, len(users))
	for _, u := range users {
		list = append(list, userAnswer(u))
	}
	return page(c, list, maxPage, func(u relayapi.User) string { return u.UserName })
}

func (r *Relay) createUser(c *call) (any, error) {
	var body relayapi.CreateUserRequest
	if err := decodeBody(c, &body); err != nil {
		return nil, err
	}
	if !userName.MatchString(body.UserName) {
		return nil, badField("userName", body.UserName, "1 to 50 letters, digits and . _ @ -, the first a letter or digit")
	}
	if err := checkPermission(body.Role, body.SIMIDs, body.Tags); err != nil {
		return nil, err
	}
	if err := checkNewPassword("password", body.Password); err != nil {
		return nil, err
	}
	hash, err := r.passwords.hash(c.Context(), body.Password)
	if err != nil {
		return nil, err
	}
	u := store.User{Name: body.UserName, Hash: hash, Role: body.Role, SIMs: body.SIMIDs, Tags: body.Tags, CreatedAt: r.cfg.Clock.Now()}
	err = r.store.CreateUser(c.Context(), u)
	if errors.Is(err, store.ErrExists) {
		return nil, apiErrorf(http.StatusConflict, codeConflict, "there is a user %s already", quote(body.UserName))
	}
	if err != nil {
		return nil, err
	}
	return userAnswer(u), nil
}

// updateUser gives a user another role and other SIMs; tokens that they have go on with them.
func (r *Relay) updateUser(c *call) (any, error) {
	var body relayapi.UpdateUserRequest
	if err := decodeBody(c, &body); err != nil {
		return nil, err
	}
	if err := checkPermission(body.Role, body.SIMIDs, body.Tags); err != nil {
		return nil, err
	}
	u, err := r.store.UpdateUser(c.Context(), c.PathValue("user_name"), func(u *store.User) {
		u.Role, u.SIMs, u.Tags = body.Role, body.SIMIDs, body.Tags
	})
	if err != nil {
		return nil, userError(c, err)
	}
	return userAnswer(u), nil
}

func (r *Relay) deleteUser(c *call) (any, error) {
	return nil, userError(c, r.store.DeleteUser(c.Context(), c.PathValue("user_name")))
}

// setPassword gives a user another password, which ends all tokens of the old one. Users change their own, and must know it; admins change
// anybody's. For other callers there is no other user.
func (r *Relay) setPassword(c *call) (any, error) {
	var body relayapi.SetPasswordRequest
	if err := decodeBody(c, &body); err != nil {
		return nil, err
	}
	name := c.PathValue("user_name")
	self := c.who.isUser() && c.who.name == name
	if !self && c.who.role != RoleAdmin {
		return nil, userError(c, store.ErrNotFound)
	}
	u, err := r.store.User(c.Context(), name)
	if err != nil {
		return nil, userError(c, err)
	}
	if err := checkNewPassword("newPassword", body.NewPassword); err != nil {
		return nil, err
	}
	if self {
		good, err := r.passwords.check(c, name, u.Hash, body.CurrentPassword, r.cfg.Clock.Now())
		if err != nil {
			return nil, err
		}
		if !good {
			return nil, apiErrorf(http.StatusForbidden, codeForbidden, "currentPassword is wrong")
		}
	}
	hash, err := r.passwords.hash(c.Context(), body.NewPassword)
	if err != nil {
		return nil, err
	}
	_, err = r.store.UpdateUser(c.Context(), name, func(u *store.User) { u.Hash = hash })
	return nil, userError(c, err)
}

// userError puts the store's errors into the API's words.
func userError(c *call, err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return apiErrorf(http.StatusNotFound, codeNoUser, "there is no user %s", quote(c.PathValue("user_name")))
	case errors.Is(err, store.ErrConflict):
		return apiErrorf(http.StatusConflict, codeConflict, "the user was changed by somebody else in the meantime: try again")
	}
	return err
}

// checkPermission checks what a key or a user shall be allowed.
func checkPermission(role string, sims []string, tags map[string]string) error {
	if !mayAct(role, RoleViewer) {
		return badField("role", role, "admin, operator or viewer")
	}
	if n := len(sims) + len(tags); n > maxKeyScope {
		return badField("simIds", n, "at most %d", maxKeyScope)
	}
	for _, id := range sims {
		if err := checkLength("simIds", id, maxID); err != nil {
			return err
		}
	}
	return nil
}

// checkNewPassword does not say the password again: errors are logged.
func checkNewPassword(field, password string) error {
	if len(password) < minPassword || len(password) > maxPassword {
		return apiErrorf(http.StatusBadRequest, codeBadField, "%s must have %d to %d bytes", field, minPassword, maxPassword)
	}
	return nil
}

func userAnswer(u store.User) relayapi.User {
	return relayapi.User{UserName: u.Name, Role: u.Role, SIMIDs: u.SIMs, Tags: u.Tags, CreatedTime: u.CreatedAt.UnixMilli()}
}
