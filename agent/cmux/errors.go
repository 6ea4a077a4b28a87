package cmux

import "errors"

var (
	// ErrPeerClosed is Run's error when the peer closed the multiplexer down, by CLD or by DISC on the control channel. The port
	// is in AT command mode then.
	ErrPeerClosed = errors.New("the peer closed the multiplexer")
	// ErrNoAnswer tells that N2 repetitions got no answer. From Run: the peer is not in multiplexer mode. From Close: it did not
	// confirm that it left it; several modems leave it only by a reset.
	ErrNoAnswer = errors.New("no answer from the peer")
	// ErrRefused is returned by Open when the peer answers DM.
	ErrRefused = errors.New("refused by the peer")
	// ErrClosed tells that this end has closed the multiplexer, or Run has ended.
	ErrClosed = errors.New("the multiplexer is closed")

	errNotSupported = errors.New("not supported by the peer")
	errRestarted    = errors.New("the peer opened the channel anew")
	errDisconnected = errors.New("the peer closed the channel")
	errInUse        = errors.New("the channel is open already")
)
