package report

import "bytes"

// stream is one direction of a TCP connection. It keeps no payload beyond what names the next message.
type stream struct {
	started bool
	next    uint32 // sequence number that is wanted next
	ended   bool   // a FIN was seen
	proto   protocol
	tls     tlsRecords
}

type emitFunc func(kind Kind, label string, bytes int)

func (st *stream) start(seq uint32) {
	if !st.started {
		st.started, st.next = true, seq
	}
}

// segment takes what is new of a segment's payload and tells whether bytes before it are missing.
func (st *stream) segment(s segment, emit emitFunc) (gap bool) {
	if len(s.payload)+s.missing == 0 {
		return false
	}
	seq := s.seq
	if s.syn {
		seq++
	}
	st.start(seq)
	payload := s.payload
	switch ahead := int32(seq - st.next); {
	case ahead > 0:
		gap = true
		st.tls.lose(int(ahead))
	case ahead < 0: // sent again, wholly or in part; or a keep-alive probe
		old := -int(ahead)
		if old >= len(payload)+s.missing {
			return false
		}
		seq = st.next
		if old < len(payload) {
			payload = payload[old:]
		} else {
			s.missing, payload = s.missing-(old-len(payload)), nil
		}
	}
	st.next = seq + uint32(len(payload)+s.missing)
	st.message(payload, s.missing, emit)
	return gap
}

// message tells what a piece of the stream says.
func (st *stream) message(payload []byte, missing int, emit emitFunc) {
	if len(payload) == 0 {
		st.tls.lose(missing)
		emit(KindData, "data", missing)
		return
	}
	if st.proto == "" {
		st.proto = guessProtocol(payload)
	}
	switch st.proto {
	case protoTLS:
		if !st.tls.feed(payload, emit) {
			st.proto = protoUnknown
			emit(KindData, "data", len(payload)+missing)
			return
		}
		st.tls.lose(missing)
	case protoHTTP:
		if line, ok := httpLine(payload); ok {
			emit(KindHello, line, len(payload)+missing)
		} else {
			emit(KindData, "HTTP data", len(payload)+missing)
		}
	case protoSSH, protoRFB:
		if bytes.HasPrefix(payload, []byte("SSH-")) || bytes.HasPrefix(payload, []byte("RFB ")) {
			line, _, _ := bytes.Cut(payload, []byte("\n"))
			emit(KindHello, printable(line), len(payload)+missing)
			return
		}
		emit(KindData, string(st.proto)+" data", len(payload)+missing)
	case protoX224:
		emit(KindHello, x224Label(payload), len(payload)+missing)
	case protoModbus:
		emit(KindHello, modbusLabel(payload), len(payload)+missing)
	default:
		emit(KindData, "data", len(payload)+missing)
	}
}
