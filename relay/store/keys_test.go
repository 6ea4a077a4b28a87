package store

import (
	"errors"
	"sync"
	"testing"
	"time"
)

func TestKeys(t *testing.T) {
	ctx := testContext(t)
	s := openStore(t, Config{})
	now := time.Now().Truncate(time.Millisecond).UTC()
	want := []Key{
		{ID: "keyId-b", Hash: []byte{1, 2}, Role: "admin", CreatedAt: now},
		{ID: "keyId-a", Hash: []byte{3}, Role: "viewer", Name: "ci", CreatedAt: now.Add(time.Second)},
	}
	for _, k := range want {
		if err := s.PutKey(ctx, k); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Keys(ctx); err != nil || diff(want, got) != "" {
		t.Errorf("Keys: %v (-want +got):\n%s", err, diff(want, got))
	}
	if got, err := s.Key(ctx, "keyId-a"); err != nil || diff(want[1], got) != "" {
		t.Errorf("Key: %v (-want +got):\n%s", err, diff(want[1], got))
	}
	if err := s.DeleteKey(ctx, "keyId-a"); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"keyId-a", "never", "", "no spaces", "*"} {
		if _, err := s.Key(ctx, id); !isErr(err, ErrNotFound) {
			t.Errorf("Key(%q): %v, want ErrNotFound", id, err)
		}
		if err := s.DeleteKey(ctx, id); !isErr(err, ErrNotFound) {
			t.Errorf("DeleteKey(%q): %v, want ErrNotFound", id, err)
		}
	}
}

func TestSecret(t *testing.T) {
	ctx := testContext(t)
	s := openStore(t, Config{})
	broken := errors.New("no entropy")
	if _, err := s.Secret(ctx, "ca", func() ([]byte, error) { return nil, broken }); !isErr(err, broken) {
		t.Errorf("Secret: %v, want %v", err, broken)
	}
	got := make([]string, 8)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			b, err := s.Secret(ctx, "ca", func() ([]byte, error) { return []byte{byte('a' + i)}, nil })
			if err != nil {
				t.Error(err)
			}
			got[i] = string(b)
		})
	}
	all.Wait()
	for _, v := range got {
		if v == "" || v != got[0] {
			t.Fatalf("callers got %q", got)
		}
	}
}
