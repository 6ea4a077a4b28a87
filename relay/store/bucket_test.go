package store

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// longNames are of what subjects and keys take as it is, and of what they take only in other letters, up to the longest that any body brings.
func longNames() []string {
	var list []string
	for _, n := range []int{maxName, maxName + 1, maxKey, maxKey + 1, 2100, 4000, 5000, 64 << 10} {
		list = append(list, strings.Repeat("a", n), strings.Repeat(".", n), strings.Repeat("é", n/2), strings.Repeat("*", n))
	}
	return list
}

// No name that any method takes may end the connection to NATS, as one does that makes a subject longer than the server takes.
func TestLongNames(t *testing.T) {
	s := openStore(t, Config{})
	ctx := testContext(t)
	_, cursor := t.Context(), strings.Repeat("1.", 5000)
	methods := map[string]func(name string) error{
		"Key":       func(name string) error { _, err := s.Key(ctx, name); return err },
		"PutKey":    func(name string) error { return s.PutKey(ctx, Key{ID: name}) },
		"DeleteKey": func(name string) error { return s.DeleteKey(ctx, name) },
		"User":      func(name string) error { _, err := s.User(ctx, name); return err },
		"CreateUser": func(name string) error {
			return s.CreateUser(ctx, User{Name: name, SIMs: []string{name}, Tags: map[string]string{name: name}})
		},
		"UpdateUser": func(name string) error { _, err := s.UpdateUser(ctx, name, func(*User) {}); return err },
		"DeleteUser": func(name string) error { return s.DeleteUser(ctx, name) },
		"Secret": func(name string) error {
			_, err := s.Secret(ctx, name, func() ([]byte, error) { return nil, nil })
			return err
		},
		"EndToken":    func(name string) error { return s.EndToken(ctx, name, time.Minute) },
		"TokenEnded":  func(name string) error { _, err := s.TokenEnded(ctx, name); return err },
		"Add":         func(name string) error { return s.Add(ctx, name, 1) },
		"Counter":     func(name string) error { _, err := s.Counter(ctx, name); return err },
		"PutHostKey":  func(name string) error { return s.PutHostKey(ctx, name, []byte(name)) },
		"HostKey":     func(name string) error { _, err := s.HostKey(ctx, name); return err },
		"PutFile":     func(name string) error { return s.PutFile(ctx, name, nil) },
		"ReadFile":    func(name string) error { _, _, err := s.ReadFile(ctx, name); return err },
		"RemoveFiles": func(name string) error { return s.RemoveFiles(ctx, name) },
		"Lock and Unlock": func(name string) error {
			if err := s.Lock(ctx, name); err != nil {
				return err
			}
			return s.Unlock(ctx, name)
		},
		"Mapping": func(name string) error {
			_, err := s.Mapping(ctx, netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone(name), 1))
			return err
		},
		"CreateMapping": func(name string) error {
			m := testMapping(netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone(name), 1), time.Hour)
			_, err := s.CreateMapping(ctx, m)
			return err
		},
		"ExtendMapping": func(name string) error {
			m := testMapping(netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone(name), 1), time.Hour)
			_, err := s.ExtendMapping(ctx, m, m.ExpiresAt.Add(time.Hour))
			return err
		},
		"AppendAudit": func(name string) error {
			return s.AppendAuditSync(ctx, Entry{Type: Access, Time: time.Now(), SIMID: name, IMSI: name, SNI: name})
		},
		"Audit": func(name string) error {
			_, _, err := s.Audit(ctx, Query{SIMID: name, IMSI: name, Type: EntryType(name), Code: name})
			return err
		},
		"Audit's cursor": func(name string) error {
			_, _, err := s.Audit(ctx, Query{SIMID: name, Before: cursor + name})
			return err
		},
		"AppendCall": func(name string) error {
			return s.AppendCall(ctx, Call{Kind: name, Path: name, KeyID: name, User: name})
		},
		"Calls": func(name string) error { _, _, err := s.Calls(ctx, CallQuery{Kind: name}); return err },
	}
	for method, call := range methods {
		t.Run(method, func(t *testing.T) {
			for _, name := range longNames() {
				err := call(name)
				if _, alive := s.Counter(ctx, "x"); alive != nil {
					t.Fatalf("%d bytes of %q: %v; then %v", len(name), name[:1], err, alive)
				}
				zone := strings.HasSuffix(method, "Mapping") // which no caller lets in
				if err != nil && !zone && len(err.Error()) > 4*maxName+200 {
					t.Errorf("%d bytes of %q: an error of %d bytes", len(name), name[:1], len(err.Error()))
				}
			}
		})
	}
	select {
	case <-s.Lost():
		t.Error(s.LostErr())
	default:
	}
}

// Long names are told apart all the same, and found again.
func TestLongNamesAreKept(t *testing.T) {
	s := openStore(t, Config{})
	ctx := testContext(t)
	long := strings.Repeat("8", 1000)
	for i := range 3 {
		name := fmt.Sprint(long, i)
		if err := s.CreateUser(ctx, User{Name: name, Role: fmt.Sprint(i)}); err != nil {
			t.Error(err)
		}
		if err := s.PutHostKey(ctx, name, []byte{byte(i)}); err != nil {
			t.Error(err)
		}
		if err := s.AppendAuditSync(ctx, Entry{Type: Access, Time: auditStart, SIMID: name, IMSI: name}); err != nil {
			t.Error(err)
		}
	}
	for i := range 3 {
		name := fmt.Sprint(long, i)
		if u, err := s.User(ctx, name); err != nil || u.Role != fmt.Sprint(i) {
			t.Errorf("user %d is %+v, %v", i, u, err)
		}
		if key, err := s.HostKey(ctx, name); err != nil || len(key) != 1 || key[0] != byte(i) {
			t.Errorf("host key %d is %v, %v", i, key, err)
		}
		checkAudit(t, s, Query{SIMID: name}, []Entry{{Type: Access, Time: auditStart, SIMID: name, IMSI: name}})
	}
}

// A name's key or token is never another's.
func FuzzTokens(f *testing.F) {
	f.Add("a", "")
	f.Add("=61", "a")
	f.Add(strings.Repeat("a", 200), digest(strings.Repeat("a", 200)))
	f.Fuzz(func(t *testing.T, a, b string) {
		for name, of := range map[string]func(string) string{"token": token, "hostKeyName": hostKeyName} {
			x, y := of(a), of(b)
			if a != b && x == y && a != "_" && b != "_" { // "_" is nobody's name
				t.Errorf("%s of %q and %q: %q", name, a, b, x)
			}
			if most := 2*maxName + 1; len(x) > most || strings.ContainsAny(x, ". *>\t\r\n") {
				t.Errorf("%s of %q: %q", name, a, x)
			}
		}
	})
}

// What the relay's API may store of one key or user is less than the server's longest message.
func TestLongestUser(t *testing.T) {
	s := openStore(t, Config{})
	tags := map[string]string{"x": strings.Repeat("<", 64<<10)} // six bytes each in JSON
	if err := s.CreateUser(testContext(t), User{Name: "long", Tags: tags}); err != nil {
		t.Fatal(err)
	}
	u, err := s.User(testContext(t), "long")
	if b, _ := json.Marshal(u.Tags); err != nil || u.Tags["x"] != tags["x"] {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}
