// Package rfb is a VNC server: RFC 6143, The Remote Framebuffer Protocol, versions 3.3, 3.7 and 3.8. It shows a Framebuffer to
// any number of viewers. Each viewer has its own damage, and gets pixels only when it asks (section 7.5.3), so that a slow one
// delays nobody and skips what it was too slow for.
package rfb

import "fmt"

// version is the minor number of protocol version 3 that both ends speak (section 7.1.1).
type version int

const (
	version33 version = 3
	version37 version = 7
	version38 version = 8

	versionSize   = 12
	serverVersion = "RFB 003.008\n"
)

// securityType of section 7.1.2.
type securityType byte

const (
	securityNone    securityType = 1
	securityVNCAuth securityType = 2

	securityResultOK     = 0
	securityResultFailed = 1
)

// Client to server messages, section 7.5.
const (
	msgSetPixelFormat           = 0
	msgSetEncodings             = 2
	msgFramebufferUpdateRequest = 3
	msgKeyEvent                 = 4
	msgPointerEvent             = 5
	msgClientCutText            = 6
	msgSetDesktopSize           = 251 // of the community's rfbproto, as all of ExtendedDesktopSize
)

// Server to client messages, section 7.6.
const (
	msgFramebufferUpdate  = 0
	msgSetColorMapEntries = 1
	msgServerCutText      = 3
)

// Sizes in bytes, those of client messages without their type, and bounds where the RFC leaves one out.
const (
	setPixelFormatSize   = 19 // padding 3, pixel format 16
	setEncodingsSize     = 3  // padding 1, number 2; then 4 each
	updateRequestSize    = 9  // incremental 1, x 2, y 2, width 2, height 2
	keyEventSize         = 7  // down 1, padding 2, keysym 4
	pointerEventSize     = 5  // buttons 1, x 2, y 2
	clientCutTextSize    = 7  // padding 3, length 4; then the text
	setDesktopSizeSize   = 7  // padding 1, width 2, height 2, screens 1, padding 1; then 16 each
	screenSize           = 16 // id 4, x 2, y 2, width 2, height 2, flags 4
	vncAuthChallengeSize = 16
	colorMapEntries      = 256

	maxCutText         = 64 << 10
	maxEncodings       = 1024
	maxFramebufferSide = 1 << 14
	maxNameLength      = 255
	maxPasswordLength  = 8 // the length of a DES key
)

// Encoding of a rectangle, section 7.7; negative ones are pseudo-encodings.
type Encoding int32

// The encodings that this server has. Raw is the only one that every viewer takes unasked. Tight and ExtendedDesktopSize are not in
// the RFC but in the community's rfbproto.
const (
	EncodingRaw      Encoding = 0
	EncodingCopyRect Encoding = 1
	EncodingHextile  Encoding = 5
	EncodingTight    Encoding = 7
	EncodingZRLE     Encoding = 16

	EncodingDesktopSize         Encoding = -223
	EncodingCursor              Encoding = -239
	EncodingExtendedDesktopSize Encoding = -308
)

func (e Encoding) String() string {
	if name, ok := encodingNames[e]; ok {
		return name
	}
	return fmt.Sprintf("encoding %d", int32(e))
}

var encodingNames = map[Encoding]string{
	EncodingRaw: "Raw", EncodingCopyRect: "CopyRect", EncodingHextile: "Hextile", EncodingTight: "Tight", EncodingZRLE: "ZRLE",
	EncodingDesktopSize: "DesktopSize", EncodingCursor: "Cursor", EncodingExtendedDesktopSize: "ExtendedDesktopSize",
}
