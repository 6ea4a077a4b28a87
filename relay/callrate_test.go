package relay

import (
	"errors"
	"maps"
	"testing"

	"minato/relay/relayapi"
	"minato/relay/store"
)

func TestCallRate(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock, CallRate: 1})
	for range 5 {
		if _, err := r.SIMs(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := r.SIMs(t.Context())
	if e := (*relayapi.Error)(nil); !errors.As(err, &e) || e.Status != 429 || e.Message != "too many calls: wait 1 s" {
		t.Errorf("the sixth call: %v", err)
	}
	clock.Advance(1e9)
	if _, err := r.SIMs(t.Context()); err != nil {
		t.Errorf("a second later: %v", err)
	}
}

// Who is nobody is bounded by the address, whatever is called; what is turned away then is not logged, so that it pushes nothing out. A key is
// bounded also where its role does not allow what it asks for.
func TestCallRateOfNobody(t *testing.T) {
	r := startRelay(t, Config{Clock: newFakeClock(), CallRate: 4})
	viewer, err := r.as(relayapi.CreateKeyRequest{Role: RoleViewer}).Auth(t.Context()) // the second of four calls from nobody at this address
	if err != nil {
		t.Fatal(err)
	}
	got := map[int]int{}
	for range 10 {
		status, stop := r.statusWithout("GET", "/v1/users")
		stop()
		got[status]++
	}
	if want := map[int]int{401: 2, 429: 8}; !maps.Equal(got, want) {
		t.Errorf("calls without credentials: %v, want %v", got, want)
	}
	calls, _, err := r.store.Calls(t.Context(), store.CallQuery{Kind: "GET /v1/users"})
	if err != nil || len(calls) != 2 {
		t.Errorf("logged: %+v, %v", calls, err)
	}
	clear(got)
	for range 25 {
		status, stop := r.send("GET", "/v1/users", viewer)
		stop()
		got[status]++
	}
	if want := map[int]int{403: 20, 429: 5}; !maps.Equal(got, want) {
		t.Errorf("calls that a viewer may not make: %v, want %v", got, want)
	}
}
