package guest

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

const (
	maxScript = 32 << 10 // the guest's line discipline keeps 64 KiB while the shell is slow
	maxOutput = 16 << 20
)

var errControlEnded = errors.New("the guest is gone")

// control is our end of the control port: requests "run ID SCRIPT" and "kill ID", replies "ready" and "exit ID STATUS LENGTH" with as many
// octets of output behind the line.
type control struct {
	conn  net.Conn
	ready chan struct{} // closed at "ready"
	done  chan struct{} // closed at the end of read

	mu      sync.Mutex // also orders writes
	last    int
	waiting map[int]chan<- result // with room for one
	err     error                 // why there are no more replies
}

type result struct {
	stdout string
	exit   int
}

func newControl(conn net.Conn) *control {
	c := &control{conn: conn, ready: make(chan struct{}), done: make(chan struct{}), waiting: make(map[int]chan<- result)}
	go c.read() // ends when conn is closed, with qemu
	return c
}

func (c *control) read() {
	defer close(c.done)
	err := c.readReplies(bufio.NewReader(c.conn))
	c.conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = errControlEnded
	if err != io.EOF && !errors.Is(err, net.ErrClosed) {
		c.err = fmt.Errorf("control port: %w", err)
	}
}

func (c *control) readReplies(r *bufio.Reader) error {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimRight(line, "\r\n")
		var id, size int
		var res result
		if line == "ready" {
			select {
			case <-c.ready:
				return errors.New("a second ready")
			default:
				close(c.ready)
			}
			continue
		}
		if _, err := fmt.Sscanf(line, "exit %d %d %d", &id, &res.exit, &size); err != nil || size < 0 || size > maxOutput {
			return fmt.Errorf("reply %q: want an exit status and at most %d octets of output", line, maxOutput)
		}
		out := make([]byte, size)
		if _, err := io.ReadFull(r, out); err != nil {
			return err
		}
		res.stdout = string(out)
		c.mu.Lock()
		if reply := c.waiting[id]; reply != nil { // else its caller has given up
			reply <- res
			delete(c.waiting, id)
		}
		c.mu.Unlock()
	}
}

func (c *control) exec(ctx context.Context, script string) (string, int, error) {
	if len(script) > maxScript {
		return "", 0, fmt.Errorf("script of %d octets: want at most %d", len(script), maxScript)
	}
	if err := ctx.Err(); err != nil {
		return "", 0, err
	}
	reply := make(chan result, 1)
	id, err := c.run(script, reply)
	if err != nil {
		return "", 0, err
	}
	select {
	case r := <-reply:
		return r.stdout, r.exit, nil
	case <-c.done:
		c.mu.Lock()
		defer c.mu.Unlock()
		return "", 0, c.err
	case <-ctx.Done():
		c.kill(id)
		return "", 0, context.Cause(ctx)
	}
}

func (c *control) run(script string, reply chan<- result) (id int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	c.last++
	if _, err := fmt.Fprintf(c.conn, "run %d %s\n", c.last, base64.StdEncoding.EncodeToString([]byte(script))); err != nil {
		return 0, fmt.Errorf("%w: %w", errControlEnded, err)
	}
	c.waiting[c.last] = reply
	return c.last, nil
}

func (c *control) kill(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
	fmt.Fprintf(c.conn, "kill %d\n", id) // a guest that is gone has killed it already
}
