package check

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// HalfCloseOptions of "halfclose": send a request, close our direction, and the whole answer must still come.
type HalfCloseOptions struct {
	Send string // "": a GET of / with Connection: close
	Want string // start of the answer; "": HTTP/1.
}

const maxHalfCloseAnswer = 16 << 20

// HalfClose proves that closing one direction leaves the other alone, from end to end: FIN or close_notify passes, and the answer
// with its own end comes back.
func HalfClose(ctx context.Context, dial Dial, o Options) (Result, error) {
	return run(ctx, "halfclose", o, func(ctx context.Context, r *recorder) error {
		send := or(o.HalfClose.Send, "GET / HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n")
		want := or(o.HalfClose.Want, "HTTP/1.")
		conn, err := r.dial(ctx, dial)
		if err != nil {
			return err
		}
		r.begin("sending the request")
		if _, err := io.WriteString(conn, send); err != nil {
			return err
		}
		r.begin("closing our direction")
		if err := conn.(*boundConn).CloseWrite(); err != nil {
			return err
		}
		r.begin("reading the answer to its end")
		answer, err := io.ReadAll(io.LimitReader(conn, maxHalfCloseAnswer+1))
		if err != nil {
			return fmt.Errorf("after %d bytes: %w", len(answer), err)
		}
		r.begin("judging the answer")
		switch {
		case len(answer) == 0:
			return hintf("something on the way closes both directions when one ends", "no answer came after our direction was closed")
		case len(answer) > maxHalfCloseAnswer:
			return fmt.Errorf("more than %d bytes came", maxHalfCloseAnswer)
		case !strings.HasPrefix(string(answer), want):
			return fmt.Errorf("the answer begins %q, and %q is wanted", clip(answer, 40), want)
		}
		r.summaryf("%d bytes came after our direction was closed, then an orderly end", len(answer))
		return nil
	})
}
