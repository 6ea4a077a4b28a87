package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// getRequest is the body of a JetStream direct get. The client library knows only its forms for one message.
type getRequest struct {
	Seq       uint64   `json:"seq,omitempty"`   // with Batch: that many messages from here on
	Batch     int      `json:"batch,omitempty"` // 0 with MultiLast: all
	MultiLast []string `json:"multi_last,omitempty"`
	UpToSeq   uint64   `json:"up_to_seq,omitempty"`
}

// storedMsg is one message of the answer.
type storedMsg struct {
	subject string
	seq     uint64
	data    []byte
}

var (
	errNoMessages = errors.New("no messages")
	errTooMany    = errors.New("too many subjects")
)

// directGet sends a request to the stream and collects its answer, in order of sequence.
func (s *Store) directGet(ctx context.Context, stream string, req getRequest) ([]storedMsg, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	inbox := s.conn.NewRespInbox()
	answers, err := s.conn.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer answers.Unsubscribe()
	if err := s.conn.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, body); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	var list []storedMsg
	for {
		msg, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return nil, err
		}
		switch status := msg.Header.Get("Status"); status {
		case "":
		case "204": // end of batch
			return list, nil
		case "404":
			return nil, errNoMessages
		case "413":
			return nil, errTooMany
		default:
			return nil, fmt.Errorf("stream %q answers %s %s", stream, status, msg.Header.Get("Description"))
		}
		m, err := parseStored(msg)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
}

func parseStored(msg *nats.Msg) (storedMsg, error) {
	seq, err := strconv.ParseUint(msg.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil {
		return storedMsg{}, fmt.Errorf("reading Nats-Sequence: %w", err)
	}
	return storedMsg{msg.Header.Get("Nats-Subject"), seq, msg.Data}, nil
}

// lastOfEach returns the last message of every subject that matches filter, none newer than upTo (0: no bound).
func (s *Store) lastOfEach(ctx context.Context, as *auditStream, filter string, upTo uint64) ([]storedMsg, error) {
	list, err := s.directGet(ctx, as.name, getRequest{MultiLast: []string{filter}, UpToSeq: upTo})
	if !errors.Is(err, errTooMany) {
		return list, err
	}
	// More than eight runs: ask for one after the other.
	runs, err := s.runs(ctx, as, filter)
	if err != nil {
		return nil, err
	}
	list = nil
	for run := range runs {
		part, err := s.directGet(ctx, as.name, getRequest{MultiLast: []string{run + ".*"}, UpToSeq: upTo})
		if err != nil && !errors.Is(err, errNoMessages) {
			return nil, err
		}
		list = append(list, part...)
	}
	return list, nil
}

// runOf cuts the slot off a subject.
func runOf(subject string) string { return subject[:max(strings.LastIndexByte(subject, '.'), 0)] }
