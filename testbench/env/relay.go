package env

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"minato/relay"
)

// startRelay runs the relay in this process, on the internet side's network.
func (e *Env) startRelay(ctx context.Context) error {
	api := net.JoinHostPort(e.Internet.Relay().String(), "0")
	if e.Net == Userspace || e.Fixed {
		api = net.JoinHostPort(e.Internet.Relay().String(), "8080")
	}
	r, err := relay.New(relay.Config{
		Logger:       e.log.With("part", "relay"),
		Network:      relay.SOCKSNetwork{Addr: e.Address.SOCKS},
		Directory:    &relay.EmulatorDirectory{URL: "http://" + e.Address.Control},
		Listen:       e.Internet.Listen,
		API:          api,
		MappingIP:    e.Internet.Relay(),
		Dir:          filepath.Join(e.Dir, "relay"),
		BootstrapKey: func(id, secret string) { e.key = relayKey{id, secret} },
		DrainTimeout: -1,
	})
	if err != nil {
		return err
	}
	if err := e.run(ctx, "relay", r.Ready(), r.Run); err != nil {
		return err
	}
	e.Address.API = r.APIAddr().String()
	return e.keepKey()
}

// keyFile holds the relay's admin key between two starts on the same directory.
const keyFile = "relay.key"

// keepKey writes the key that a first start gave, or reads the one that an earlier start left.
func (e *Env) keepKey() error {
	path := filepath.Join(e.Dir, keyFile)
	if e.key.id != "" {
		return os.WriteFile(path, []byte(e.key.id+"\n"+e.key.secret+"\n"), 0o600)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the relay has state in %s but its key is not kept: remove the directory to start anew (%w)", e.Dir, err)
	}
	id, secret, ok := strings.Cut(strings.TrimSpace(string(b)), "\n")
	if !ok {
		return errors.New(path + " holds no key")
	}
	e.key = relayKey{id, secret}
	return nil
}

// Key is the relay's admin key.
func (e *Env) Key() (id, secret string) { return e.key.id, e.key.secret }
