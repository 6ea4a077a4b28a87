package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Variables of the environment that hold a key where no file is named.
const (
	KeyIDVariable = "MINATO_AUTH_KEY_ID"
	KeyVariable   = "MINATO_AUTH_KEY"
)

// maxKeyFile bounds a key file, which has some 100 bytes.
const maxKeyFile = 64 << 10

// Key is an authentication key of a relay.
type Key struct{ ID, Secret string }

// ReadKey reads a key from a file, or without one from the environment. It is never taken from a command line, which every user of the computer can
// see. A file holds what the relay prints at its first start (authKeyId: and authKey: lines), or a soracom-cli profile (JSON with those names).
func ReadKey(file string, getenv func(string) string) (Key, error) {
	if file == "" {
		k := Key{getenv(KeyIDVariable), getenv(KeyVariable)}
		if k.ID == "" || k.Secret == "" {
			return Key{}, fmt.Errorf("no key: name a file with --key-file, or set %s and %s", KeyIDVariable, KeyVariable)
		}
		return k, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return Key{}, fmt.Errorf("reading the key: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return Key{}, fmt.Errorf("reading the key: %w", err)
	}
	k, err := parseKey(b)
	if err != nil {
		return Key{}, fmt.Errorf("key file %q: %w", file, err)
	}
	return k, nil
}

func parseKey(b []byte) (Key, error) {
	if len(b) > maxKeyFile {
		return Key{}, errors.New("it is too long for a key")
	}
	var fields struct{ AuthKeyID, AuthKey string }
	text := strings.TrimSpace(string(b))
	if strings.HasPrefix(text, "{") {
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			return Key{}, fmt.Errorf("it begins as JSON and is none: %w", err)
		}
	} else {
		for line := range strings.Lines(text) {
			name, value, _ := strings.Cut(line, ":")
			switch strings.TrimSpace(name) {
			case "authKeyId":
				fields.AuthKeyID = strings.TrimSpace(value)
			case "authKey":
				fields.AuthKey = strings.TrimSpace(value)
			}
		}
	}
	if fields.AuthKeyID == "" || fields.AuthKey == "" {
		return Key{}, errors.New("it holds no authKeyId and authKey: want two lines \"authKeyId: ...\" and \"authKey: ...\", as the relay prints them, or the same as JSON")
	}
	return Key{fields.AuthKeyID, fields.AuthKey}, nil
}
