package ppp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
)

const optionHeader = 2 // Type 1, Length 1 (RFC 1661 section 6)

var errOptionLength = errors.New("option length does not fit the packet")

// option is one configuration option.
type option struct {
	kind byte
	data []byte
}

// parseOptions reads a list of options. They are parts of b.
func parseOptions(b []byte) ([]option, error) {
	var opts []option
	for len(b) > 0 {
		if len(b) < optionHeader || int(b[1]) < optionHeader || int(b[1]) > len(b) {
			return nil, errOptionLength
		}
		opts = append(opts, option{kind: b[0], data: b[optionHeader:b[1]]})
		b = b[b[1]:]
	}
	return opts, nil
}

func appendOptions(dst []byte, opts []option) []byte {
	for _, o := range opts {
		dst = append(dst, o.kind, byte(optionHeader+len(o.data)))
		dst = append(dst, o.data...)
	}
	return dst
}

func (o option) equal(other option) bool {
	return o.kind == other.kind && bytes.Equal(o.data, other.data)
}

// optionsWithin tells whether part is a subset of all, in the same order and unmodified, as a Configure-Reject must be
// (RFC 1661 section 5.4).
func optionsWithin(part, all []option) bool {
	for _, o := range part {
		at := slices.IndexFunc(all, o.equal)
		if at < 0 {
			return false
		}
		all = all[at+1:]
	}
	return true
}

func hasOption(opts []option, kind byte) bool {
	return slices.ContainsFunc(opts, func(o option) bool { return o.kind == kind })
}

func uint16Option(kind byte, v uint16) option {
	return option{kind, binary.BigEndian.AppendUint16(nil, v)}
}

func uint32Option(kind byte, v uint32) option {
	return option{kind, binary.BigEndian.AppendUint32(nil, v)}
}

// addrOption carries an IPv4 address; an invalid one is 0.0.0.0, which asks the peer for one.
func addrOption(kind byte, addr netip.Addr) option {
	if !addr.Is4() {
		addr = netip.IPv4Unspecified()
	}
	b := addr.As4()
	return option{kind, b[:]}
}

func (o option) uint16() (uint16, bool) {
	if len(o.data) != 2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(o.data), true
}

func (o option) uint32() (uint32, bool) {
	if len(o.data) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(o.data), true
}

func (o option) addr() (netip.Addr, bool) {
	if len(o.data) != 4 {
		return netip.Addr{}, false
	}
	return netip.AddrFrom4([4]byte(o.data)), true
}
