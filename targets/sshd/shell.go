package sshd

import (
	"bufio"
	"fmt"
	"io"

	"github.com/anmitsu/go-shlex"
	"github.com/gliderlabs/ssh"
	"golang.org/x/term"
)

// Exit statuses, as a POSIX shell gives them.
const (
	statusOK       = 0
	statusFailed   = 1
	statusUsage    = 2
	statusNotFound = 127
)

// maxLine is the longest command line without a terminal, which has its own bound.
const maxLine = 4096

// shell is one session's commands.
type shell struct {
	server *Server
	user   string
	out    io.Writer
	errs   io.Writer
	status int
	exited bool
}

// run is a whole session: the configured shell, or of the sample commands one, lines from a pipe, or a terminal.
func (c *connection) run(s ssh.Session, w *window) {
	if c.server.cfg.Shell != "" {
		s.Exit(c.program(s, w))
		return
	}
	sh := &shell{server: c.server, user: s.User(), out: s, errs: s.Stderr()}
	pty, _, isTerminal := s.Pty()
	switch {
	case s.RawCommand() != "":
		sh.line(s.RawCommand())
	case isTerminal:
		t := term.NewTerminal(s, fmt.Sprintf("%s@%s> ", sh.user, c.server.cfg.Name))
		if pty.Window.Width > 0 && pty.Window.Height > 0 {
			t.SetSize(min(pty.Window.Width, maxSide), min(pty.Window.Height, maxSide))
		}
		w.follow(func(width, height int) { t.SetSize(width, height) })
		sh.out, sh.errs = t, t
		sh.interact(t)
	default:
		sh.lines(s)
	}
	s.Exit(sh.status)
}

// interact reads lines with editing and history until exit, Ctrl-D or the end of the connection.
func (sh *shell) interact(t *term.Terminal) {
	io.WriteString(sh.out, sh.server.motd())
	for !sh.exited {
		line, err := t.ReadLine()
		if err != nil && err != term.ErrPasteIndicator {
			return
		}
		sh.line(line)
	}
}

func (sh *shell) lines(r io.Reader) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxLine)
	for !sh.exited && in.Scan() {
		sh.line(in.Text())
	}
	if err := in.Err(); err != nil {
		sh.status = sh.fail(statusUsage, "reading a command: %v", err)
	}
}

// line runs a command line; an empty one keeps the status.
func (sh *shell) line(line string) {
	words, err := shlex.Split(line, true)
	if err != nil {
		sh.status = sh.fail(statusUsage, "cannot read the line: %v", err)
		return
	}
	if len(words) == 0 {
		return
	}
	for _, c := range commands() {
		if c.name == words[0] {
			sh.status = c.run(sh, words[1:])
			return
		}
	}
	sh.status = sh.fail(statusNotFound, "%q: no such command; try help", words[0])
}

func (sh *shell) fail(status int, format string, args ...any) int {
	fmt.Fprintf(sh.errs, format+"\n", args...)
	return status
}
