package store

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBackupAndRestore(t *testing.T) {
	ctx := testContext(t)
	from := openStore(t, Config{})
	m, err := from.CreateMapping(ctx, testMapping(testAddr, time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if err := from.CreateUser(ctx, User{Name: "hanako@example.com", Hash: "h", Role: "operator"}); err != nil {
		t.Fatal(err)
	}
	if err := from.PutKey(ctx, Key{ID: "keyId-1", Hash: []byte("h"), Role: "viewer", SIMs: []string{"1"}, CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := from.Secret(ctx, "ca", func() ([]byte, error) { return []byte("secret"), nil }); err != nil {
		t.Fatal(err)
	}
	if err := from.Add(ctx, "n", 7); err != nil {
		t.Fatal(err)
	}
	if err := from.PutHostKey(ctx, "8981 1", []byte("ssh")); err != nil {
		t.Fatal(err)
	}
	if err := from.EndToken(ctx, "given-back", time.Hour); err != nil {
		t.Fatal(err)
	}
	all := appendEntries(t, 700, func(i int) (*Store, Entry) {
		return from, Entry{Type: []EntryType{Access, Created, Closed}[i%3], SIMID: fmt.Sprint(i % 2)}
	})
	for i := range 5 {
		if err := from.AppendCall(ctx, Call{Time: auditStart.Add(time.Duration(i) * time.Second), Kind: "GET /v1/sims", Status: 200}); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	n, err := from.Backup(ctx, &file)
	if err != nil || n != 1+1+1+1+1+1+1+700+5 {
		t.Fatalf("%d records, %v", n, err)
	}
	saved := file.Bytes()

	to := openStore(t, Config{})
	if got, err := to.Restore(ctx, bytes.NewReader(saved)); err != nil || got != n {
		t.Fatalf("%d records, %v", got, err)
	}
	got, err := to.Mapping(ctx, testAddr)
	m.Revision, got.Revision = 0, 0
	if diff := cmp.Diff(m, got, compareNetip); err != nil || diff != "" {
		t.Errorf("%v, mapping (-want +got):\n%s", err, diff)
	}
	if u, err := to.User(ctx, "hanako@example.com"); err != nil || u.Role != "operator" || u.Hash != "h" {
		t.Errorf("user %+v, %v", u, err)
	}
	if k, err := to.Key(ctx, "keyId-1"); err != nil || k.Role != "viewer" || len(k.SIMs) != 1 {
		t.Errorf("key %+v, %v", k, err)
	}
	if s, err := to.Secret(ctx, "ca", nil); err != nil || string(s) != "secret" {
		t.Errorf("secret %q, %v", s, err)
	}
	if c, err := to.Counter(ctx, "n"); err != nil || c != 7 {
		t.Errorf("counter %d, %v", c, err)
	}
	if k, err := to.HostKey(ctx, "8981 1"); err != nil || string(k) != "ssh" {
		t.Errorf("host key %q, %v", k, err)
	}
	for id, want := range map[string]bool{"given-back": true, "good": false} {
		if ended, err := to.TokenEnded(ctx, id); err != nil || ended != want {
			t.Errorf("token %s: ended %v, %v", id, ended, err)
		}
	}
	checkAudit(t, to, Query{Limit: 1000}, all)
	checkAudit(t, to, Query{SIMID: "1", Limit: 1000}, choose(all, Query{SIMID: "1"}))
	if calls, _, err := to.Calls(ctx, CallQuery{}); err != nil || len(calls) != 5 || !calls[0].Time.Equal(auditStart.Add(4*time.Second)) {
		t.Errorf("calls %+v, %v", calls, err)
	}

	if _, err := to.Restore(ctx, bytes.NewReader(saved)); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("restoring into a store that is in use: %v", err)
	}
	for name, bad := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "cut off": saved[:len(saved)/2], "without its end": saved[:len(saved)-8]} {
		if _, err := openStore(t, Config{}).Restore(ctx, bytes.NewReader(bad)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
