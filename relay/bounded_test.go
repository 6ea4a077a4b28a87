package relay

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"minato/relay/store"
)

// What a client names itself is bounded where it goes to the logs, and costs it nothing: the longest name that there is is kept, a longer one is
// not, and both are served.
func TestLongServerName(t *testing.T) {
	r := startRelay(t, Config{})
	m := r.mapping(true)
	for _, n := range []int{255, 256, 60_000} {
		name := strings.Repeat("<", n) // six bytes each in JSON
		conn := r.dial(m)
		client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, ServerName: name})
		if _, err := io.WriteString(client, "hello"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, make([]byte, 5)); err != nil {
			t.Error(err)
		}
		client.Close()
		r.awaitAuditOf(conn)
		entries, _, err := r.store.Audit(t.Context(), store.Query{Type: store.Closed, Limit: 1})
		if err != nil || len(entries) != 1 {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		if n > 255 {
			name = ""
		}
		if entries[0].SNI != name {
			t.Errorf("of a name of %d bytes %d are kept", n, len(entries[0].SNI))
		}
	}
}

// Whatever an error says of what a client or a device sent, an entry stays short.
func TestWordsAreBounded(t *testing.T) {
	for _, letter := range []string{"x", "<", "é", "\xff"} {
		w := say(wordHandshakeFailed, strings.Repeat(letter, 60_000))
		b, err := json.Marshal(w)
		if err != nil || len(b) > 2500 {
			t.Errorf("%d bytes of words, %v", len(b), err)
		}
	}
	if got := cut("ée", 2); got != "é..." {
		t.Errorf("cut %q", got)
	}
	if got := cut("ée", 1); got != "..." {
		t.Errorf("cut %q", got)
	}
}
