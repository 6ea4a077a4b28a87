// Package dce is the modem's side of the line: an AT interpreter written from ITU-T V.250 and 3GPP TS 27.007, the modem's state
// behind it, and the calls that carry PPP.
//
// A [Modem] is shared by its ports. Each port is served by one goroutine, which reads commands, answers each in one write, and on
// CONNECT gives the line to a PPP server:
//
//	port ──bytes──> assembler ──line──> scanner ──command──> table ──result──> output ──bytes──> port
//	  └───────── after CONNECT ─────────> dataPort <──> ppp.Conn <──> Session (the network)
//
// After AT+CMUX the port is a multiplexer's, and each of its channels a port of the same modem. On a UART bytes at another speed than
// +IPR's are noise.
//
// What tells one make of modem from another is data: see [Personality].
package dce
