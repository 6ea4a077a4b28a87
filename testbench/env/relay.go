package env

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"minato/relay"
	"minato/testbench/access"
)

// startRelay runs the relay in this process, on the internet side's network.
func (e *Env) startRelay(ctx context.Context) error {
	api := net.JoinHostPort(e.Internet.Relay().String(), "0")
	if e.Net == Userspace || e.Fixed {
		api = net.JoinHostPort(e.Internet.Relay().String(), "8080")
	}
	if e.Address.API != "" { // started again
		api = e.Address.API
	}
	cfg := relay.Config{
		Logger:       e.log.With("part", "relay"),
		Network:      relay.SOCKSNetwork{Addr: e.Address.SOCKS},
		Directory:    &relay.EmulatorDirectory{URL: "http://" + e.Address.Control},
		Listen:       e.Internet.Listen,
		API:          api,
		MappingIP:    e.Internet.Relay(),
		Dir:          filepath.Join(e.Dir, "relay"),
		BootstrapKey: func(id, secret string) { e.key = access.Key{ID: id, Secret: secret} },
		DrainTimeout: -1,
	}
	if e.Config.Relay != nil {
		e.Config.Relay(&cfg)
	}
	r, err := relay.New(cfg)
	if err != nil {
		return err
	}
	if err := e.run(ctx, "relay", r.Ready(), r.Run); err != nil {
		return err
	}
	e.Address.API = r.APIAddr().String()
	return e.keepKey()
}

// keyFile holds the relay's admin key between two starts on the same directory, in the form that check and connect read.
const keyFile = "relay.key"

// keepKey writes the key that a first start gave, or reads the one that an earlier start left.
func (e *Env) keepKey() error {
	path := filepath.Join(e.Dir, keyFile)
	if e.key.ID != "" {
		return os.WriteFile(path, fmt.Appendf(nil, "authKeyId: %s\nauthKey:   %s\n", e.key.ID, e.key.Secret), 0o600)
	}
	var err error
	if e.key, err = access.ReadKey(path, nil); err != nil {
		return fmt.Errorf("the relay has state in %s but its key is not kept: remove the directory to start anew (%w)", e.Dir, err)
	}
	return nil
}

// KeyFile is where the relay's admin key stands.
func (e *Env) KeyFile() string { return filepath.Join(e.Dir, keyFile) }

// Key is the relay's admin key.
func (e *Env) Key() (id, secret string) { return e.key.ID, e.key.Secret }
