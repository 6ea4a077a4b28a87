package rfb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"minato/targets/conns"
)

const (
	handshakeTimeout = 30 * time.Second
	bandTimeout      = 2 * time.Minute // for a viewer to take a band of pixels: less than 18 kbit/s is dead
	defaultAuthDelay = time.Second
	defaultViewers   = 16
	readBuffer       = 4 << 10
)

// Config of a Server.
type Config struct {
	Name        string       // of the desktop, at most 255 bytes
	Framebuffer *Framebuffer // what is shown
	Password    string       // at most 8 bytes, for VNC authentication; "": security type None
	Viewers     int          // connections per Serve; 0: 16

	// OnKey, OnPointer and OnCutText get the viewers' input, one call at a time per viewer; nil: dropped. They must not block for long.
	OnKey     func(key Keysym, down bool)
	OnPointer func(x, y int, buttons byte) // bit 0 of buttons: left, 1: middle, 2: right
	OnCutText func(text string)            // what was cut or copied on the viewer's side; at most 64 KiB of Latin-1

	Cursor *Cursor // nil: viewers show their own

	Logger *slog.Logger // nil: silent
}

// Server shows one Framebuffer.
type Server struct {
	cfg       Config
	authDelay time.Duration

	mu      sync.Mutex // guards viewers
	viewers map[*viewer]struct{}
}

// NewServer checks cfg and gives a server for any number of Serve calls.
func NewServer(cfg Config) (*Server, error) {
	if len(cfg.Password) > maxPasswordLength {
		return nil, fmt.Errorf("the VNC password has %d bytes: VNC authentication uses at most %d", len(cfg.Password), maxPasswordLength)
	}
	if len(cfg.Name) > maxNameLength {
		return nil, fmt.Errorf("the desktop name has %d bytes, at most %d", len(cfg.Name), maxNameLength)
	}
	if cfg.Viewers == 0 {
		cfg.Viewers = defaultViewers
	}
	if cfg.OnKey == nil {
		cfg.OnKey = func(Keysym, bool) {}
	}
	if cfg.OnPointer == nil {
		cfg.OnPointer = func(int, int, byte) {}
	}
	if cfg.OnCutText == nil {
		cfg.OnCutText = func(string) {}
	}
	if cfg.Cursor != nil {
		if err := cfg.Cursor.check(); err != nil {
			return nil, err
		}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{cfg: cfg, authDelay: defaultAuthDelay, viewers: make(map[*viewer]struct{})}, nil
}

// Serve shows the framebuffer to who connects to l until ctx ends; see targets.Service.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return conns.Serve(ctx, l, conns.Config{Limit: s.cfg.Viewers, Logger: s.cfg.Logger}, s.serveConn)
}

func (s *Server) serveConn(ctx context.Context, conn net.Conn) {
	log := s.cfg.Logger.With("remote", conn.RemoteAddr())
	r := bufio.NewReaderSize(conn, readBuffer)
	shared, err := s.handshake(ctx, conn, r)
	if err != nil {
		if ctx.Err() == nil {
			log.Info("VNC connection refused", "err", err)
		}
		return
	}
	log.Info("VNC viewer connected", "shared", shared)
	v := newViewer(conn, s.cfg.Framebuffer, s.cfg.Cursor)
	size := s.cfg.Framebuffer.Bounds()
	v.damage = s.cfg.Framebuffer.attach(size)
	defer s.cfg.Framebuffer.detach(v.damage)
	s.admit(v, shared) // before the answer: who comes after it has the later word on sharing
	if err = s.initialise(conn, size); err == nil {
		err = s.view(ctx, log, v, r)
	}
	s.leave(v)
	switch {
	case ctx.Err() != nil, errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		log.Info("VNC viewer left")
	default:
		log.Info("VNC viewer left", "err", err)
	}
}

// admit: a viewer that does not want to share ends the others (section 7.3.1).
func (s *Server) admit(v *viewer, shared bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !shared {
		for other := range s.viewers {
			other.conn.Close()
		}
	}
	s.viewers[v] = struct{}{}
}

func (s *Server) leave(v *viewer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.viewers, v)
}

// CutText puts a text into the clipboards of all viewers. Characters that are not of Latin-1 become question marks.
func (s *Server) CutText(text string) {
	latin1 := toLatin1(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	for v := range s.viewers {
		v.cut(latin1)
	}
}

// view reads the viewer's messages while sendUpdates writes. Either one's end closes the connection, which ends the other.
// It returns why that was, never nil.
func (s *Server) view(ctx context.Context, log *slog.Logger, v *viewer, r *bufio.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	sent := make(chan error, 1)
	go func() { // ends with ctx, or when the connection fails; waited for below
		sent <- v.sendUpdates(ctx)
		v.conn.Close()
	}()
	readErr := s.readMessages(log, v, r)
	cancel()
	v.conn.Close()
	if err := <-sent; err != nil && errors.Is(readErr, net.ErrClosed) {
		return err // the writer closed it, and knows why
	}
	return readErr
}

func (s *Server) readMessages(log *slog.Logger, v *viewer, r *bufio.Reader) error {
	for {
		m, err := readMessage(r)
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case keyEvent:
			s.cfg.OnKey(m.keysym, m.down)
		case pointerEvent:
			s.cfg.OnPointer(m.x, m.y, m.buttons)
		case setPixelFormat:
			v.setPixelFormat(PixelFormat(m))
		case setEncodings:
			v.setEncodings(m)
			log.Info("VNC viewer chose", "encoding", preferred(m).String())
		case updateRequest:
			v.request(m)
		case clientCutText:
			s.cfg.OnCutText(string(m))
		case setDesktopSize:
			v.refuseResize()
		}
	}
}
