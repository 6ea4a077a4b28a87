// Package tun lets this machine's own programs reach the closed network's devices: ping, curl, a browser. It makes a TUN device
// with an address of its own and a route to the devices, for as long as it runs. That needs CAP_NET_ADMIN; nothing else of the
// emulator does.
//
//	t, err := tun.New(tun.Config{Name: "minato0", Network: core})
//	err = t.Run(ctx)
package tun

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"

	wgtun "golang.zx2c4.com/wireguard/tun"

	"minato/emulator/core"
)

// defaultAddr lies beside the gateway and outside the devices' pool.
var defaultAddr = netip.MustParseAddr("100.127.255.254")

const (
	mtu      = 1500
	headroom = 10 // octets that the device wants before a packet: a virtio-net header
	maxName  = 15 // IFNAMSIZ, less the NUL
)

// Config describes the device.
type Config struct {
	Name    string     // of the interface
	Network *core.Core // must run before and after
	Addr    netip.Addr // the machine's address in the network; zero: 100.127.255.254
	Logger  *slog.Logger
}

// Tunnel is the device. Make it with New, call Run once.
type Tunnel struct {
	cfg     Config
	log     *slog.Logger
	ready   chan struct{}
	started atomic.Bool
}

// New checks the configuration. The device is made by Run.
func New(cfg Config) (*Tunnel, error) {
	if cfg.Name == "" || len(cfg.Name) > maxName {
		return nil, fmt.Errorf("TUN device %q: want a name of 1 to %d characters", cfg.Name, maxName)
	}
	if cfg.Network == nil {
		return nil, errors.New("a TUN device needs a network")
	}
	if !cfg.Addr.IsValid() {
		cfg.Addr = defaultAddr
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Tunnel{cfg: cfg, log: cfg.Logger, ready: make(chan struct{})}, nil
}

// Ready is closed when packets flow.
func (t *Tunnel) Ready() <-chan struct{} { return t.ready }

// Run makes the device and carries packets until ctx ends; then the device is gone, and its address and routes with it. It returns
// nil on cancel.
func (t *Tunnel) Run(ctx context.Context) error {
	if !t.started.CompareAndSwap(false, true) {
		return errors.New("tun: Run was called twice")
	}
	device, err := wgtun.CreateTUN(t.cfg.Name, mtu)
	if err != nil {
		return fmt.Errorf("making TUN device %q: %w", t.cfg.Name, explain(err))
	}
	defer func() {
		device.Close()
		for range device.Events() { // closed when the device's own goroutines have ended
		}
	}()
	host, err := t.cfg.Network.Join(t.cfg.Addr, func(packet []byte) { t.write(device, packet) })
	if err != nil {
		return fmt.Errorf("joining the network as %s: %w", t.cfg.Addr, err)
	}
	defer host.Leave()
	if err := configure(t.cfg.Name, t.cfg.Addr, t.cfg.Network.Prefixes()); err != nil {
		return fmt.Errorf("configuring TUN device %q: %w", t.cfg.Name, explain(err))
	}
	defer context.AfterFunc(ctx, func() { device.Close() })()
	t.log.Info("TUN device ready", "name", t.cfg.Name, "addr", t.cfg.Addr)
	close(t.ready)
	err = read(device, host)
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("reading TUN device %q: %w", t.cfg.Name, err)
}

// explain adds the cure.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w: it needs CAP_NET_ADMIN: run as root, or give the program the capability with setcap cap_net_admin+ep", err)
	case errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("%w: another program has a device of this name", err)
	}
	return err
}

// read brings the machine's packets to the network until the device is closed.
func read(device wgtun.Device, host *core.Host) error {
	packets := make([][]byte, device.BatchSize())
	sizes := make([]int, len(packets))
	for i := range packets {
		packets[i] = make([]byte, headroom+mtu)
	}
	for {
		n, err := device.Read(packets, sizes, headroom)
		for i := range n {
			host.Deliver(packets[i][headroom : headroom+sizes[i]])
		}
		if err != nil && !errors.Is(err, wgtun.ErrTooManySegments) {
			return err
		}
	}
}

// write brings a device's packet to the machine. The kernel drops what it has no room for.
func (t *Tunnel) write(device wgtun.Device, packet []byte) {
	b := make([]byte, headroom+len(packet), headroom+mtu) // with room for what the device joins to it
	copy(b[headroom:], packet)
	if _, err := device.Write([][]byte{b}, headroom); err != nil && !errors.Is(err, os.ErrClosed) {
		t.log.Debug("the TUN device refused a packet", "error", err)
	}
}
