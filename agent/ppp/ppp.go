// Package ppp is one end of a PPP link (RFC 1661) over a byte stream: the client that dials and the server that a
// modem is to its host are the same automaton with different policies.
//
//	conn := ppp.New(port, ppp.Config{User: "sora", Password: "sora"})
//	conn.Attach(stack.Gather, stack.Flush)
//	go conn.Run(ctx)
//	<-conn.Ready()
//	addr := conn.Params().Local
//
// Three goroutines make a link. The reader decodes frames and hands IP packets straight to the stack; all else goes to the event
// loop, which alone owns the state; what the loop says goes through a queue to the writer, so that a line which takes nothing
// cannot keep it from ending. IP packets are framed and written by whoever calls WritePackets.
package ppp

import (
	"log/slog"
	"time"
)

// Unreader is a port that takes back bytes which turned out not to be PPP's: the modem's CR LF NO CARRIER CR LF between two
// frames, and all that follows it. They are given from the sign on, inclusive, before Run returns ErrNoCarrier. It may be called
// more than once, also after Close: what comes later comes after it on the line.
type Unreader interface{ Unread(p []byte) }

// Config describes one end of a link. The zero value is a client that will answer PAP and CHAP with an empty name.
type Config struct {
	Server *Server      // nil: this end is a client and asks for an address
	Logger *slog.Logger // nil: silent

	User, Password string // the client's answer to PAP or CHAP-MD5; never logged

	MRU  int    // largest packet that we take, at least 128; 0: 1500
	ACCM uint32 // control characters that the peer must escape towards us; 0: none

	EchoInterval time.Duration // LCP echo requests; 0: none
	EchoFailures int           // unanswered requests until ErrDeadLink; 0: 3

	RestartInterval time.Duration // RFC 1661 Restart timer; 0: 3 s
}
