package env

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/sys/unix"
)

// loopbackCapture writes every IP packet that crosses lo to a pcapng file. It needs CAP_NET_RAW, which the root of a namespace has.
type loopbackCapture struct {
	path   string
	socket *os.File
	marker []byte // the payload of the packet that ends the capture
	done   chan error
}

// startLoopbackCapture begins to capture into path; stop ends it.
func startLoopbackCapture(path string) (*loopbackCapture, error) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		return nil, fmt.Errorf("finding lo: %w", err)
	}
	const allProtocols = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // in network byte order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, allProtocols&0xffff)
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	// Bulk scenarios burst; a lost packet would read like a lost packet of the network.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: allProtocols & 0xffff, Ifindex: lo.Index}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("binding a packet socket to lo: %w", err)
	}
	f, err := os.Create(path)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	w, err := pcapgo.NewNgWriter(f, layers.LinkTypeRaw)
	if err != nil {
		unix.Close(fd)
		f.Close()
		return nil, err
	}
	c := &loopbackCapture{path: path, socket: os.NewFile(uintptr(fd), "lo"), marker: []byte(rand.Text()), done: make(chan error, 1)}
	go c.copy(f, w)
	return c, nil
}

// copy moves packets from the socket to the file until the marker comes.
func (c *loopbackCapture) copy(f *os.File, w *pcapgo.NgWriter) {
	raw, err := c.socket.SyscallConn()
	buf := make([]byte, 256<<10)
	for err == nil {
		n, outgoing := 0, false
		var readErr error
		err = raw.Read(func(fd uintptr) bool {
			var from unix.Sockaddr
			n, from, readErr = unix.Recvfrom(int(fd), buf, 0)
			if link, ok := from.(*unix.SockaddrLinklayer); ok {
				outgoing = link.Pkttype == unix.PACKET_OUTGOING
			}
			return !errors.Is(readErr, unix.EAGAIN)
		})
		if err == nil {
			err = readErr
		}
		if err != nil || outgoing { // lo shows each packet twice: going out, and coming in
			continue
		}
		if bytes.HasSuffix(buf[:n], c.marker) {
			break
		}
		ci := gopacket.CaptureInfo{Timestamp: time.Now(), CaptureLength: n, Length: n}
		err = w.WritePacket(ci, buf[:n])
	}
	c.done <- errors.Join(err, w.Flush(), f.Close())
}

// stop closes the file once everything that was sent before this call is in it.
func (c *loopbackCapture) stop() error {
	// Packets leave lo in the order in which they were sent, so the marker comes last. Should the socket's queue have dropped it, the deadline ends the wait.
	err := c.socket.SetReadDeadline(time.Now().Add(30 * time.Second))
	if conn, dialErr := net.Dial("udp", "127.0.0.1:9"); dialErr != nil {
		err = errors.Join(err, dialErr)
	} else {
		_, writeErr := conn.Write(c.marker)
		err = errors.Join(err, writeErr, conn.Close())
	}
	return errors.Join(err, <-c.done, c.socket.Close())
}
