package hostnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// The few requests of rtnetlink(7) that are needed here. A library for all of it would make the agent's binary a hundredth larger.

// attr is one attribute of a message.
type attr struct {
	kind  uint16
	value []byte
}

func u32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

// request sends one message with its fixed part and attributes, and waits for the kernel's acknowledgement.
func request(kind, flags uint16, fixed []byte, attrs ...attr) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("opening a netlink socket: %w", err)
	}
	defer unix.Close(fd)
	m := u32(0) // the length, below
	m = binary.NativeEndian.AppendUint16(m, kind)
	m = binary.NativeEndian.AppendUint16(m, flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	m = append(m, make([]byte, 8)...) // sequence number and port: there is one request a socket
	m = append(m, fixed...)
	for _, a := range attrs {
		m = binary.NativeEndian.AppendUint16(m, uint16(unix.SizeofRtAttr+len(a.value)))
		m = binary.NativeEndian.AppendUint16(m, a.kind)
		m = append(m, a.value...)
		m = append(m, make([]byte, -len(m)&(unix.RTA_ALIGNTO-1))...)
	}
	binary.NativeEndian.PutUint32(m, uint32(len(m)))
	if err := unix.Sendto(fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	b := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, b, 0)
	if err != nil {
		return err
	}
	if n < unix.NLMSG_HDRLEN+4 || binary.NativeEndian.Uint16(b[4:]) != unix.NLMSG_ERROR {
		return errors.New("the kernel's answer is no acknowledgement")
	}
	if no := int32(binary.NativeEndian.Uint32(b[unix.NLMSG_HDRLEN:])); no != 0 {
		return syscall.Errno(-no)
	}
	return nil
}

// linkMessage is struct ifinfomsg.
func linkMessage(index int, flags, change uint32) []byte {
	m := []byte{unix.AF_UNSPEC, 0, 0, 0}
	return append(append(append(m, u32(uint32(index))...), u32(flags)...), u32(change)...)
}

// setLink brings an interface up, where up is true, and changes its attributes.
func setLink(index int, up bool, attrs ...attr) error {
	flags := uint32(0)
	if up {
		flags = unix.IFF_UP
	}
	return request(unix.RTM_NEWLINK, 0, linkMessage(index, flags, flags), attrs...)
}

const addrGenModeNone = 1 // IN6_ADDR_GEN_MODE_NONE of linux/if_link.h

// noIPv6Address keeps the kernel from giving an interface a link-local address.
func noIPv6Address(index int) error {
	mode := nested(unix.AF_INET6, attr{unix.IFLA_INET6_ADDR_GEN_MODE, []byte{addrGenModeNone}})
	return setLink(index, false, nested(unix.IFLA_AF_SPEC, mode))
}

func nested(kind uint16, in attr) attr {
	v := binary.NativeEndian.AppendUint16(nil, uint16(unix.SizeofRtAttr+len(in.value)))
	v = append(binary.NativeEndian.AppendUint16(v, in.kind), in.value...)
	return attr{kind | unix.NLA_F_NESTED, append(v, make([]byte, -len(v)&(unix.RTA_ALIGNTO-1))...)}
}

// addAddress gives an interface an address of its own.
func addAddress(index int, addr netip.Addr) error {
	fixed := append([]byte{unix.AF_INET, byte(addr.BitLen()), 0, unix.RT_SCOPE_UNIVERSE}, u32(uint32(index))...) // struct ifaddrmsg
	return request(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, fixed, attr{unix.IFA_LOCAL, addr.AsSlice()}, attr{unix.IFA_ADDRESS, addr.AsSlice()})
}

// addRoute routes a network to an interface. src may be invalid, and metric 0.
func addRoute(index int, to netip.Prefix, src netip.Addr, metric, table int) error {
	fixed := []byte{unix.AF_INET, byte(to.Bits()), 0, 0, unix.RT_TABLE_UNSPEC, unix.RTPROT_BOOT, unix.RT_SCOPE_LINK, unix.RTN_UNICAST, 0, 0, 0, 0} // struct rtmsg
	attrs := []attr{{unix.RTA_TABLE, u32(uint32(table))}, {unix.RTA_OIF, u32(uint32(index))}, {unix.RTA_PRIORITY, u32(uint32(metric))}}
	if to.Bits() > 0 {
		attrs = append(attrs, attr{unix.RTA_DST, to.Addr().AsSlice()})
	}
	if src.IsValid() {
		attrs = append(attrs, attr{unix.RTA_PREFSRC, src.AsSlice()})
	}
	return request(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, fixed, attrs...)
}

// answerRule adds or deletes the rule that sends answers from an address to their table; without an address it deletes any one of them.
func answerRule(kind, flags uint16, from netip.Addr) error {
	fixed := []byte{unix.AF_INET, 0, byte(from.BitLen()), 0, unix.RT_TABLE_UNSPEC, 0, 0, unix.FR_ACT_TO_TBL, 0, 0, 0, 0} // struct fib_rule_hdr
	attrs := []attr{{unix.FRA_TABLE, u32(answerTable)}, {unix.FRA_PRIORITY, u32(answerPriority)}}
	if from.IsValid() {
		attrs = append(attrs, attr{unix.FRA_SRC, from.AsSlice()})
	}
	return request(kind, flags, fixed, attrs...)
}
