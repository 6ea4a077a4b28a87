package relay

import (
	"errors"
	"fmt"
	"strings"

	"minato/relay/splice"
	"minato/relay/store"
)

// word is the code of something that happens on a connection, or of why it ended. Codes are stable: the console has their words in the user's
// language, and english has the API's and the log's. A word is also an error, so that it can be what a connection is cut for.
type word string

// Steps of a ladder.
const (
	wordConnection        word = "connection"
	wordConsole           word = "console"
	wordProxyHeader       word = "proxy-header"
	wordSilence           word = "silence"
	wordFirstBytes        word = "first-bytes"
	wordClientHello       word = "client-hello"
	wordTLSAlert          word = "tls-alert"
	wordHandshake         word = "handshake"
	wordResumed           word = "resumed"
	wordClientCertificate word = "client-certificate"
	wordDial              word = "dial"
	wordNotReached        word = "not-reached" // with the cause
	wordConnected         word = "connected"
	wordEndOfStream       word = "end-of-stream"
	wordRefused           word = "refused" // with the cause
	wordEnd               word = "end"     // with the word for why, and its arguments
)

// Why a connection ended, or was not made.
const (
	wordClientClosed    word = "client-closed"
	wordTargetClosed    word = "device-closed"
	wordIdle            word = "idle"
	wordClientError     word = "client-error"
	wordTargetError     word = "device-error"
	wordClosedEarly     word = "closed-early"
	wordUnreachable     word = "unreachable" // with the error and the cause
	wordHandshakeFailed word = "handshake-failed"
	wordHelloBroken     word = "hello-broken"
	wordDeviceSilent    word = "device-silent"
	wordDeviceUnknown   word = "device-unknown"
	wordDeviceHangsUp   word = "device-hangs-up"
	wordDeviceFirst     word = "device-first" // with the protocol's short word and its name
	wordEndedAt         word = "ended-at"
	wordUsed            word = "used"
	wordNotInRanges     word = "not-in-ranges"
	wordFlood           word = "flood"
	wordLimitMapping    word = "limit-mapping"
	wordLimitRate       word = "limit-rate"
	wordLimitSource     word = "limit-source"
	wordLimitSIM        word = "limit-sim"
	wordError           word = "error" // what has no word of its own

	errCut        word = "cut"
	errExpired    word = "expired"
	errDeleted    word = "deleted"
	errShutdown   word = "shutdown"
	errGone       word = "browser-gone" // before the device was reached
	errNotAllowed word = "not-allowed"  // any more
)

// english has the format of each word's arguments.
var english = map[word]string{
	wordConnection:        "connection",
	wordConsole:           "connection in the console",
	wordProxyHeader:       "PROXY header of %s",
	wordSilence:           "silence",
	wordFirstBytes:        "first bytes (%s)",
	wordClientHello:       "ClientHello, up to %s",
	wordTLSAlert:          "TLS alert: %s",
	wordHandshake:         "TLS handshake done, %s",
	wordResumed:           "TLS handshake done, %s, resumed",
	wordClientCertificate: "client certificate of %s",
	wordDial:              "dial",
	wordNotReached:        "not reached: %s",
	wordConnected:         "connected",
	wordEndOfStream:       "end of stream",
	wordRefused:           "end without a byte: %s",
	wordEnd:               "end: %s",

	wordClientClosed:    "client closed",
	wordTargetClosed:    "target closed",
	wordIdle:            "idle",
	wordClientError:     "client error: %s",
	wordTargetError:     "target error: %s",
	wordClosedEarly:     "the client closed before it sent a byte",
	wordUnreachable:     "device not reached: %[1]s",
	wordHandshakeFailed: "TLS handshake: %s",
	wordHelloBroken:     "%s bytes of a ClientHello came, and no more",
	wordDeviceSilent:    "the device does not speak first either",
	wordDeviceUnknown:   "the client waits for the device, which speaks an unknown protocol",
	wordDeviceHangsUp:   "the device closes a silent connection without a byte",
	wordDeviceFirst:     "the client waits for the device, which speaks %[2]s",
	wordEndedAt:         "the mapping ended at %s",
	wordUsed:            "its one connection was used before",
	wordNotInRanges:     "%s is not in %s",
	wordFlood:           "too many are being refused; closed at once",
	wordLimitMapping:    "limit: %s live connections of the mapping; it ends when one of them closes",
	wordLimitRate:       "limit: %s opened more than %s connections a second; it ends in %s s",
	wordLimitSource:     "limit: %s live connections of %s; it ends when one of them closes",
	wordLimitSIM:        "limit: %s live connections to SIM %s; it ends when one of them closes",
	wordError:           "%s",

	errCut:        "the connection was cut over the API",
	errExpired:    "the mapping expired",
	errDeleted:    "the mapping was deleted",
	errShutdown:   "the relay is shutting down",
	errGone:       "the browser has gone",
	errNotAllowed: "the user has signed out, or may no longer connect",
}

func (w word) Error() string { return english[w] }

// say puts a word and its arguments together.
func say(w word, args ...any) store.Words {
	words := store.Words{Code: string(w)}
	for _, a := range args {
		words.Args = append(words.Args, cut(fmt.Sprint(a), maxArgument))
	}
	return words
}

// maxArgument bounds what differs from time to time, in bytes: some of it comes from clients and devices, as in the error about a client's certificate.
const maxArgument = 400

// cut is the beginning of what is too long.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// sayError is the word that an error is, or the error's own.
func sayError(err error) store.Words {
	var w word
	if errors.As(err, &w) {
		return say(w)
	}
	return say(wordError, err)
}

// sayEnd is how a session ended.
func sayEnd(res splice.Result) store.Words {
	switch {
	case res.End == splice.ClientClosed:
		return say(wordClientClosed)
	case res.End == splice.TargetClosed:
		return say(wordTargetClosed)
	case res.End == splice.Idle:
		return say(wordIdle)
	case res.End == splice.ClientError:
		return say(wordClientError, res.Err)
	case res.End == splice.TargetError:
		return say(wordTargetError, res.Err)
	}
	return sayError(res.Err)
}

// inEnglish is what words say. Causes among the arguments have their names; what an older relay wrote is English already.
func inEnglish(w store.Words) string {
	format, ok := english[word(w.Code)]
	if !ok {
		return w.Code
	}
	if word(w.Code) == wordEnd && len(w.Args) > 0 {
		return fmt.Sprintf(format, inEnglish(store.Words{Code: w.Args[0], Args: w.Args[1:]}))
	}
	args := make([]any, len(w.Args))
	for i, a := range w.Args {
		args[i] = a
		if name := Cause(a).String(); name != "" {
			args[i] = name
		}
	}
	return fmt.Sprintf(format, args...)
}
