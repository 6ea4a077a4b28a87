package relay

import (
	"context"
	"net/http"
	"slices"
)

// Roles of a key or a user, each with what the ones before it may do.
const (
	RoleViewer   = "viewer"   // reads
	RoleOperator = "operator" // makes, extends, ends and diagnoses mappings, cuts connections
	RoleAdmin    = "admin"    // manages keys and users, reads the API's own log
)

// roles in rising order.
var roles = []string{RoleViewer, RoleOperator, RoleAdmin}

// mayAct tells whether a role includes another.
func mayAct(role, needed string) bool {
	have, need := slices.Index(roles, role), slices.Index(roles, needed)
	return have >= 0 && have >= need
}

func forbidden(role, needed string) *apiError {
	return apiErrorf(http.StatusForbidden, codeForbidden, "role %q may not do this: it takes %q", role, needed)
}

// scope is the part of the world that a key or a user sees. What is outside does not exist for them: they get the answers that they would get for nothing.
type scope struct {
	sims []string          // SIM ids; with tags: either will do
	tags map[string]string // SIMs with one of these tags and its value
}

// all tells whether nothing is outside.
func (s scope) all() bool { return len(s.sims) == 0 && len(s.tags) == 0 }

// holds tells whether a SIM is inside.
func (s scope) holds(sim SIM) bool {
	if s.all() || slices.Contains(s.sims, sim.ID) {
		return true
	}
	tags := sim.allTags()
	for name, value := range s.tags {
		if got, ok := tags[name]; ok && got == value {
			return true
		}
	}
	return false
}

// filter gives a function that tells by id whether a SIM is inside. Tags are looked up once, now.
func (r *Relay) filter(ctx context.Context, s scope) (func(simID string) bool, error) {
	if s.all() {
		return func(string) bool { return true }, nil
	}
	inside := make(map[string]bool, len(s.sims))
	for _, id := range s.sims {
		inside[id] = true
	}
	if len(s.tags) > 0 {
		sims, err := r.sims(ctx, s)
		if err != nil {
			return nil, err
		}
		for _, sim := range sims {
			inside[sim.ID] = true
		}
	}
	return func(id string) bool { return inside[id] }, nil
}
