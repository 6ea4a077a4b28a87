package ppp

import "fmt"

// Protocol is the number in a frame's Protocol field.
type Protocol uint16

// The protocols that this package knows by name.
const (
	ProtoIPv4   Protocol = 0x0021
	ProtoIPv6   Protocol = 0x0057
	ProtoIPCP   Protocol = 0x8021
	ProtoIPv6CP Protocol = 0x8057
	ProtoCCP    Protocol = 0x80fd
	ProtoLCP    Protocol = 0xc021
	ProtoPAP    Protocol = 0xc023
	ProtoCHAP   Protocol = 0xc223
)

var protocolNames = map[Protocol]string{
	ProtoIPv4: "IPv4", ProtoIPv6: "IPv6", ProtoIPCP: "IPCP", ProtoIPv6CP: "IPV6CP", ProtoCCP: "CCP",
	ProtoLCP: "LCP", ProtoPAP: "PAP", ProtoCHAP: "CHAP",
}

func (p Protocol) String() string {
	if name, ok := protocolNames[p]; ok {
		return name
	}
	return fmt.Sprintf("protocol %#04x", uint16(p))
}

// Code is the kind of an LCP or IPCP packet (RFC 1661 section 5).
type Code byte

// The codes of RFC 1661. IPCP has the first seven; 12, Identification (RFC 1570), is not among ours.
const (
	ConfigureRequest Code = 1
	ConfigureAck     Code = 2
	ConfigureNak     Code = 3
	ConfigureReject  Code = 4
	TerminateRequest Code = 5
	TerminateAck     Code = 6
	CodeReject       Code = 7
	ProtocolReject   Code = 8
	EchoRequest      Code = 9
	EchoReply        Code = 10
	DiscardRequest   Code = 11
)

var codeNames = map[Code]string{
	ConfigureRequest: "Configure-Request", ConfigureAck: "Configure-Ack", ConfigureNak: "Configure-Nak",
	ConfigureReject: "Configure-Reject", TerminateRequest: "Terminate-Request", TerminateAck: "Terminate-Ack",
	CodeReject: "Code-Reject", ProtocolReject: "Protocol-Reject", EchoRequest: "Echo-Request", EchoReply: "Echo-Reply",
	DiscardRequest: "Discard-Request",
}

func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return fmt.Sprintf("code %d", byte(c))
}

// PAP's codes (RFC 1334 section 2.2) and CHAP's (RFC 1994 section 4).
const (
	papRequest Code = 1
	papAck     Code = 2
	papNak     Code = 3

	chapChallenge Code = 1
	chapResponse  Code = 2
	chapSuccess   Code = 3
	chapFailure   Code = 4
)

const chapMD5 = 5 // CHAP's Algorithm field

// LCP's options (RFC 1661 section 6, RFC 1662 section 7.1).
const (
	optMRU          = 1
	optACCM         = 2
	optAuthProtocol = 3
	optMagicNumber  = 5
	optPFC          = 7
	optACFC         = 8
)

// IPCP's options (RFC 1332 section 3, RFC 1877 section 1).
const (
	optIPAddress     = 3
	optPrimaryDNS    = 129
	optPrimaryNBNS   = 130
	optSecondaryDNS  = 131
	optSecondaryNBNS = 132
)

func (a AuthProtocol) String() string {
	switch a {
	case AuthPAP:
		return "PAP"
	case AuthCHAP:
		return "CHAP"
	default:
		return "none"
	}
}
