package hostnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

const (
	cloneDevice = "/dev/net/tun"
	maxName     = 15 // IFNAMSIZ, less the NUL
	maxMTU      = 65535
)

// TunnelConfig describes a TUN device.
type TunnelConfig struct {
	Name   string // of the interface, at most 15 octets
	MTU    int    // of the link
	Logger *slog.Logger

	// Output sends packets of the system to the link, from one goroutine. They are valid during the call only. An error is for the log:
	// the packets are lost, as on any IP network.
	Output func(packets [][]byte) error
}

// Tunnel is a TUN device: an interface whose packets are read and written by this process. Make it with NewTunnel and call Run, or
// Close, once. It is the kernel's plain one, a packet a call: a library for it that joins segments costs a small device more in its
// binary than it saves on a link of this speed.
type Tunnel struct {
	cfg    TunnelConfig
	device *os.File
}

// NewTunnel makes the device. The interface is down and has no address: see Apply.
func NewTunnel(cfg TunnelConfig) (*Tunnel, error) {
	if !IsInterfaceName(cfg.Name) || cfg.MTU <= 0 || cfg.MTU > maxMTU || cfg.Output == nil {
		return nil, fmt.Errorf("TUN device %q with an MTU of %d: want a name of 1 to %d characters, an MTU and an Output", cfg.Name, cfg.MTU, maxName)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	device, err := openTUN(cfg.Name)
	if err == nil {
		if err = setMTU(cfg.Name, cfg.MTU); err != nil {
			device.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("making TUN device %q: %w", cfg.Name, explain(err))
	}
	return &Tunnel{cfg: cfg, device: device}, nil
}

// openTUN makes the interface, which lasts as long as the file is open. The kernel's documentation is networking/tuntap.rst.
func openTUN(name string) (*os.File, error) {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	fd, err := unix.Open(cloneDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", cloneDevice, err)
	}
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), cloneDevice), nil // not blocking, so that Close ends Read
}

func setMTU(name string, mtu int) error {
	link, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	if err := setLink(link.Index, false, attr{unix.IFLA_MTU, u32(uint32(mtu))}); err != nil {
		return fmt.Errorf("setting its MTU to %d: %w", mtu, err)
	}
	return nil
}

// IsInterfaceName tells what the kernel takes for an interface's name.
func IsInterfaceName(s string) bool {
	if s == "" || len(s) > maxName || s == "." || s == ".." {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == '/' || c == ':' {
			return false
		}
	}
	return true
}

// Run carries the system's packets to the link until ctx ends; then the interface is gone, with its address and routes. It returns nil
// on cancel.
func (t *Tunnel) Run(ctx context.Context) error {
	defer t.Close()
	defer context.AfterFunc(ctx, t.Close)()
	err := t.read()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("reading TUN device %q: %w", t.cfg.Name, err)
}

// Close ends a device whose Run was never called.
func (t *Tunnel) Close() { t.device.Close() }

func (t *Tunnel) read() error {
	b := make([]byte, t.cfg.MTU)
	for {
		n, err := t.device.Read(b)
		if err != nil {
			return err
		}
		if !isIPv4(b[:n]) {
			continue
		}
		if err := t.cfg.Output([][]byte{b[:n]}); err != nil {
			t.cfg.Logger.Debug("the link refused a packet", "error", err)
		}
	}
}

// isIPv4 tells what the closed network carries.
func isIPv4(p []byte) bool { return len(p) > 0 && p[0]>>4 == 4 }

// Deliver gives the system one packet of the link. It keeps no slice. The kernel drops what it has no room for.
func (t *Tunnel) Deliver(packet []byte) {
	if !isIPv4(packet) || len(packet) > maxMTU {
		return
	}
	if _, err := t.device.Write(packet); err != nil && !errors.Is(err, os.ErrClosed) {
		t.cfg.Logger.Debug("the TUN device refused a packet", "error", err)
	}
}
