package tun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"minato/agent/netstack"
	"minato/emulator/core"
)

// childVariable tells this program that it runs in a network namespace that is its own, where devices may be made.
const childVariable = "MINATO_TUN_TEST"

// patience is how long a test waits for what should take milliseconds: the machine may be busy.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// TestTunnel has the kernel of a fresh network namespace ping a device, connect to it, and be connected to.
func TestTunnel(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) && os.Getenv("CI") != "true" {
		t.Skip("this kernel lets users make no network namespace: run it as root, or set sysctl kernel.unprivileged_userns_clone=1")
	}
	if err != nil {
		t.Fatalf("the child: %v\n%s", err, out)
	}
}

// child is the test itself.
func child() error {
	sub := core.Subscriber{SIMID: "one", IMSI: "440101234567890", Addr: netip.MustParseAddr("172.30.0.9")}
	network, err := core.New(core.Config{Subscribers: []core.Subscriber{sub}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { network.Run(ctx) })
	<-network.Ready()
	if _, err := network.Attach(sub.IMSI, "1"); err != nil {
		return err
	}
	s, err := network.Activate(ctx, core.ActivateRequest{IMSI: sub.IMSI})
	if err != nil {
		return err
	}
	device, err := netstack.New(netstack.Config{Addrs: []netip.Addr{sub.Addr}, Output: func(packets [][]byte) error {
		for _, p := range packets {
			s.Deliver(p)
		}
		return nil
	}})
	if err != nil {
		return err
	}
	wg.Go(func() { device.Run(ctx) })
	s.Attach(func(packets [][]byte) error {
		for _, p := range packets {
			device.Deliver(p)
		}
		return nil
	})

	before := goleak.IgnoreCurrent()
	t, err := New(Config{Name: "minato0", Network: network})
	if err != nil {
		return err
	}
	tunnel, down := context.WithCancel(ctx)
	defer down()
	ended := make(chan error, 1)
	go func() { ended <- t.Run(tunnel) }()
	select {
	case <-t.Ready():
	case err := <-ended:
		return err
	}
	if second, err := New(Config{Name: "minato1", Network: network}); err != nil || second.Run(ctx) == nil {
		return fmt.Errorf("a second host joined, %v", err)
	}
	if err := ping(sub.Addr); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	inward, err := device.Listen("tcp", ":80")
	if err != nil {
		return err
	}
	outward, err := net.Listen("tcp", defaultAddr.String()+":80")
	if err != nil {
		return err
	}
	dial := func(addr string) (net.Conn, error) { return net.DialTimeout("tcp", addr, patience) }
	if err := transfer(inward, dial, sub.Addr); err != nil {
		return fmt.Errorf("to the device: %w\n%s", err, state(ended, device))
	}
	fromDevice := func(addr string) (net.Conn, error) { return device.DialContext(ctx, "tcp", addr) }
	if err := transfer(outward, fromDevice, defaultAddr); err != nil {
		return fmt.Errorf("from the device: %w\n%s", err, state(ended, device))
	}
	down()
	if err := <-ended; err != nil {
		return err
	}
	if _, err := net.InterfaceByName("minato0"); err == nil {
		return errors.New("the interface is still there")
	}
	return goleak.Find(before)
}

// transfer moves 4 MiB there and back, with a half-close.
func transfer(l net.Listener, dial func(string) (net.Conn, error), addr netip.Addr) error {
	const size = 4 << 20
	defer l.Close()
	echoed := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			echoed <- err
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		_, err = io.Copy(conn, conn)
		echoed <- err
	}()
	conn, err := dial(addr.String() + ":80")
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	go func() {
		conn.Write(make([]byte, size))
		conn.(interface{ CloseWrite() error }).CloseWrite()
	}()
	n, err := io.Copy(io.Discard, conn)
	if err := errors.Join(err, <-echoed); err != nil || n != size {
		sockets, _ := exec.Command("ss", "-tino").CombinedOutput() // where it is installed: what the kernel knows of a transfer that stood still
		return fmt.Errorf("%d bytes came back, want %d: %v\n%s", n, size, err, sockets)
	}
	return nil
}

// state is what else may tell why a transfer stood still.
func state(ended <-chan error, device *netstack.Stack) string {
	select {
	case err := <-ended:
		return fmt.Sprintf("the tunnel has ended: %v", err)
	default:
		return fmt.Sprintf("the device: %+v", device.Stats())
	}
}

func ping(addr netip.Addr) error {
	conn, err := icmp.ListenPacket("ip4:icmp", "0.0.0.0")
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	request := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 7, Seq: 1, Data: []byte("minato")}}
	b, err := request.Marshal(nil)
	if err != nil {
		return err
	}
	if _, err := conn.WriteTo(b, &net.IPAddr{IP: addr.AsSlice()}); err != nil {
		return err
	}
	for {
		buf := make([]byte, mtu)
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return err
		}
		if m, err := icmp.ParseMessage(1, buf[:n]); err == nil && m.Type == ipv4.ICMPTypeEchoReply && from.String() == addr.String() {
			return nil
		}
	}
}

func TestNewRefuses(t *testing.T) {
	network, err := core.New(core.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []Config{{Network: network}, {Name: "a-name-that-is-too-long", Network: network}, {Name: "minato0"}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}

// TestExplain wants the cure with the error.
func TestExplain(t *testing.T) {
	for _, err := range []error{syscall.EPERM, syscall.EBUSY} {
		if got := explain(err); !errors.Is(got, err) || got.Error() == err.Error() {
			t.Errorf("%v became %v", err, got)
		}
	}
	if got := explain(io.EOF); got != io.EOF {
		t.Errorf("got %v", got)
	}
}
