// Package cmux multiplexes channels over one serial line as 3GPP TS 27.010 (GSM 07.10) describes: the basic option, with UIH
// frames. Both ends are here: the initiator, which sent AT+CMUX and is the modem's host, and the responder, which is the modem.
//
//	mux := cmux.New(port, cmux.Config{Role: cmux.Initiator, N1: 127})
//	go mux.Run(ctx)
//	at, err := mux.Open(ctx, 1)
//	data, err := mux.Open(ctx, 2)
//	...
//	err = mux.Close() // port is in AT command mode again
//
// A modem that a host left in multiplexer mode takes AT+CMUX for noise, but SABM still reaches it: run an initiator, wait for
// Ready, and Close it.
//
// Two goroutines make a Mux beside Run, which has the clock. The reader decodes frames and puts their octets into each channel's
// bounded buffer; it never waits for a channel's user. The writer takes turns: what the control channel has to say, then at most
// turnSize octets of the next channel that has any. So neither a channel that nobody reads nor one that sends without end keeps
// the others from the line.
//
//	Channel.Write ─► frames in the channel's queue ─► turn ─┐
//	Channel.Write ─► frames in the channel's queue ─► turn ─┼─► writer ─► port
//	UA, MSC, ... ──► control queue ─► before each turn ─────┘
//	port ─► reader ─► Decoder ─┬─► a channel's buffer ─► Channel.Read, WriteTo
//	                           └─► control channel: answers, exchanges
package cmux
