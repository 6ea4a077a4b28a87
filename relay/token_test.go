package relay

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

// A token is read by Napter's clients: three dot-parts, base64url, operator.operatorId in the middle one.
func TestTokenShape(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	c := claims{ID: "1", Subject: "keyId-1", APIKey: hashSecret("api-1"), IssuedAt: now.Unix(), Expires: now.Unix() + 1}
	c.Operator.OperatorID = operatorID
	token, err := signToken([]byte("key"), c)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	var payload struct{ Operator struct{ OperatorID string } }
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &payload); err != nil || payload.Operator.OperatorID != "OP0000000001" {
		t.Errorf("payload %s, %v", b, err)
	}
	if got, err := verifyToken([]byte("key"), token, "api-1", now); err != nil || got != c {
		t.Errorf("verifying: %+v, %v", got, err)
	}
	for _, tt := range []struct {
		name, key, token, apiKey string
		now                      time.Time
	}{
		{"another key", "other", token, "api-1", now},
		{"another API key", "key", token, "api-2", now},
		{"ended", "key", token, "api-1", now.Add(time.Second)},
		{"no algorithm", "key", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", "api-1", now},
		{"padded", "key", token + "=", "api-1", now},
	} {
		if _, err := verifyToken([]byte(tt.key), tt.token, tt.apiKey, tt.now); !errors.Is(err, errToken) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func FuzzVerifyToken(f *testing.F) {
	key, now := []byte("key"), time.Unix(1_800_000_000, 0)
	token, err := signToken(key, claims{APIKey: hashSecret("api"), Expires: now.Unix() + 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("..")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := verifyToken(key, s, "api", now); err == nil && s != token {
			t.Errorf("%q was accepted", s)
		}
	})
}
