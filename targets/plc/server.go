package plc

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"minato/targets/conns"
)

const (
	defaultIdleTimeout = 5 * time.Minute
	writeTimeout       = time.Minute // for a peer that does not read its answers
	readBuffer         = 8 << 10
	writeBatch         = 32 << 10 // answers of pipelined requests gathered into one write
)

// ServerConfig of a Modbus/TCP server.
type ServerConfig struct {
	Units       map[byte]Unit // by unit identifier; the others get the exception of a gateway behind which nobody answers
	Connections int           // limit per Serve; 0: conns.DefaultLimit
	IdleTimeout time.Duration // a connection without a request for so long is closed; 0: 5 min
	Logger      *slog.Logger  // nil: silent
}

// Server is a Modbus/TCP server.
type Server struct{ cfg ServerConfig }

// NewServer gives a server for any number of Serve calls.
func NewServer(cfg ServerConfig) *Server {
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = defaultIdleTimeout
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{cfg: cfg}
}

// Serve answers requests on l until ctx ends; see targets.Service.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return conns.Serve(ctx, l, conns.Config{Limit: s.cfg.Connections, Logger: s.cfg.Logger}, s.serveConn)
}

func (s *Server) serveConn(ctx context.Context, conn net.Conn) {
	log := s.cfg.Logger.With("remote", conn.RemoteAddr())
	log.Debug("Modbus connection opened")
	err := s.answer(conn)
	switch {
	case ctx.Err() != nil, err == nil:
		log.Debug("Modbus connection closed")
	default:
		log.Info("Modbus connection closed", "err", err)
	}
}

// answer handles requests in their order. Answers are gathered while further whole requests wait in the read buffer, and written
// before the next read that may block: pipelined requests cost one system call a batch.
func (s *Server) answer(conn net.Conn) error {
	r := bufio.NewReaderSize(conn, readBuffer)
	var engine Engine
	out := make([]byte, 0, mbapSize+maxPDU)
	for {
		if len(out) > 0 && (!wholeRequest(r) || len(out) >= writeBatch) {
			conn.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := conn.Write(out); err != nil {
				return err
			}
			out = out[:0]
		}
		if !wholeRequest(r) {
			conn.SetReadDeadline(time.Now().Add(s.cfg.IdleTimeout))
		}
		head, err := r.Peek(mbapSize)
		if errors.Is(err, io.EOF) && len(head) == 0 {
			return nil
		} else if err != nil {
			return err
		}
		h, err := ParseMBAP(head)
		if err != nil {
			return err
		}
		frame, err := r.Peek(mbapSize + h.pduLength())
		if err != nil {
			return err
		}
		start := len(out)
		out = appendMBAP(out, h.TransactionID, h.UnitID)
		request := frame[mbapSize:]
		if unit, ok := s.cfg.Units[h.UnitID]; ok {
			engine.Unit = unit
			out = engine.Respond(out, request)
		} else {
			out = append(out, request[0]|exceptionBit, byte(GatewayTargetFailedToRespond))
		}
		setMBAPLength(out[start:])
		r.Discard(len(frame))
	}
}

// wholeRequest says whether a good request can be read without blocking.
func wholeRequest(r *bufio.Reader) bool {
	if r.Buffered() < mbapSize {
		return false
	}
	head, _ := r.Peek(mbapSize)
	h, err := ParseMBAP(head)
	return err == nil && r.Buffered() >= mbapSize+h.pduLength()
}
