package cmux

import "fmt"

// FrameType is the control field without its P/F bit (TS 27.010 section 5.2.1.3).
type FrameType byte

const (
	SABM FrameType = 0x2f
	UA   FrameType = 0x63
	DM   FrameType = 0x0f
	DISC FrameType = 0x43
	UIH  FrameType = 0xef
	UI   FrameType = 0x03
)

func (t FrameType) String() string {
	switch t {
	case SABM:
		return "SABM"
	case UA:
		return "UA"
	case DM:
		return "DM"
	case DISC:
		return "DISC"
	case UIH:
		return "UIH"
	case UI:
		return "UI"
	}
	return fmt.Sprintf("FrameType(%#02x)", byte(t))
}

const (
	flag = 0xf9 // opens and closes a frame
	ea   = 0x01 // the last octet of an extensible field
	cr   = 0x02 // command or response, in addresses and in message types
	pf   = 0x10 // poll or final, in control fields

	// MaxDLCI is the highest channel of a user: the address of 62 would be a flag, and 63 is reserved (section 5.6).
	MaxDLCI = 61
	// MaxInfo is the longest information field that the two-octet length can tell (section 5.2.1.5).
	MaxInfo = 1<<15 - 1

	headerSize  = 5 // flag, address, control, two octets of length
	trailerSize = 2 // FCS, flag
)

// messageType is the type octet of a control channel message, its C/R bit clear (section 5.4.6.1).
type messageType byte

const (
	msgNSC   messageType = 0x11 // non supported command
	msgTest  messageType = 0x21
	msgPSC   messageType = 0x41 // power saving control
	msgFCoff messageType = 0x61
	msgPN    messageType = 0x81 // DLC parameter negotiation
	msgFCon  messageType = 0xa1
	msgCLD   messageType = 0xc1 // multiplexer close-down
	msgMSC   messageType = 0xe1 // modem status
)

func (t messageType) String() string {
	switch t {
	case msgNSC:
		return "NSC"
	case msgTest:
		return "Test"
	case msgPSC:
		return "PSC"
	case msgFCoff:
		return "FCoff"
	case msgPN:
		return "PN"
	case msgFCon:
		return "FCon"
	case msgCLD:
		return "CLD"
	case msgMSC:
		return "MSC"
	}
	return fmt.Sprintf("messageType(%#02x)", byte(t))
}
