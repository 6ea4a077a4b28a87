package check

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// HTTPOptions of "http": one GET.
type HTTPOptions struct {
	Host      string // Host header; "": device
	Path      string // with the query; "": /
	Status    int    // wanted; 0: 200
	AnyStatus bool   // whatever the status is: that the server answers is enough
	Contains  string // in the body's first MiB; "": any body
}

// Bounds of an HTTP answer.
const (
	maxHTTPHeader = 64 << 10
	maxHTTPBody   = 1 << 20
)

// HTTP asks for one page and looks at its status and body.
func HTTP(ctx context.Context, dial Dial, o Options) (Result, error) {
	return run(ctx, "http", o, func(ctx context.Context, r *recorder) error {
		opts := o.HTTP
		path, status := or(opts.Path, "/"), opts.Status
		if status == 0 {
			status = http.StatusOK
		}
		conn, err := r.dial(ctx, dial)
		if err != nil {
			return err
		}
		r.begin("sending the request")
		if err := writeRequest(conn, http.MethodGet, opts.Host, path, nil, 0); err != nil {
			return err
		}
		r.begin("reading the status line and the header")
		in, resp, err := readResponse(conn, http.MethodGet)
		if err != nil {
			return err
		}
		r.logf("%s, %s", resp.Status, or(resp.Header.Get("Content-Type"), "no content type"))
		r.begin("reading the body")
		in.N = 2 * maxHTTPBody // chunk headers may come on top
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxHTTPBody))
		if err != nil {
			return fmt.Errorf("after %d bytes: %w", len(body), err)
		}
		r.logf("%d bytes of body", len(body))
		r.begin("judging the answer")
		if resp.StatusCode != status && !opts.AnyStatus {
			return fmt.Errorf("status %d, and %d is wanted", resp.StatusCode, status)
		}
		if !bytes.Contains(body, []byte(opts.Contains)) {
			return fmt.Errorf("the body does not contain %q; it begins %q", opts.Contains, clip(body, 80))
		}
		r.summaryf("GET %s: %d, %d bytes", path, resp.StatusCode, len(body))
		return nil
	})
}

// writeRequest writes one request of HTTP/1.1 that ends the connection with its answer; body is the first size bytes of a reader.
func writeRequest(conn net.Conn, method, host, path string, body io.Reader, size int64) error {
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path+host, " \r\n") {
		return fmt.Errorf("path %q, host %q: want a path that begins with / and neither with blanks", path, host)
	}
	out := bufio.NewWriterSize(conn, 64<<10)
	fmt.Fprintf(out, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: minato-testbench\r\nConnection: close\r\n", method, path, or(host, "device"))
	if body != nil {
		fmt.Fprintf(out, "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", size)
	}
	io.WriteString(out, "\r\n")
	if body != nil {
		if n, err := io.CopyN(out, body, size); err != nil {
			return fmt.Errorf("after %d bytes of body: %w", n, err)
		}
	}
	return out.Flush()
}

// readResponse reads up to the body; the caller sets how much more may come.
func readResponse(conn net.Conn, method string) (*io.LimitedReader, *http.Response, error) {
	in := &io.LimitedReader{R: conn, N: maxHTTPHeader}
	buffered := bufio.NewReaderSize(in, 64<<10)
	head, err := buffered.Peek(5)
	if err != nil {
		if len(head) == 0 {
			return nil, nil, fmt.Errorf("the server closed without an answer: %w", err)
		}
		return nil, nil, fmt.Errorf("after %q: %w", head, err)
	}
	if string(head) != "HTTP/" {
		return nil, nil, hintf(protocolHint(head), "the server says %q, which is no HTTP", head)
	}
	resp, err := http.ReadResponse(buffered, &http.Request{Method: method})
	if err != nil {
		return nil, nil, err
	}
	return in, resp, nil
}

// protocolHint knows other protocols by their first bytes.
func protocolHint(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("SSH-")):
		return "this is an SSH server: is it the right port?"
	case bytes.HasPrefix(head, []byte("RFB ")):
		return "this is a VNC server: is it the right port?"
	case bytes.HasPrefix(head, []byte("HTTP")):
		return "this is a web server: is it the right port?"
	case len(head) > 1 && (head[0] == 0x15 || head[0] == 0x16) && head[1] == 3:
		return "the server speaks TLS: connect through the tunnel, or with TLS"
	}
	return ""
}

func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

func clip(b []byte, most int) []byte { return b[:min(len(b), most)] }
