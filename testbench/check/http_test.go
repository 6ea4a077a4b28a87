package check

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"minato/targets/web"
)

// device is a web server with what the checks ask for.
func device(t *testing.T) Dial {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "<html>pump 7 on %s", r.Host) })
	mux.HandleFunc("GET /teapot", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	mux.HandleFunc("PUT /upload", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, _ := io.Copy(sum, r.Body)
		fmt.Fprintf(w, "{\"bytes\":%d,\"sha256\":\"%x\"}", n, sum.Sum(nil))
	})
	mux.HandleFunc("PUT /liar", func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); fmt.Fprint(w, "thanks") })
	mux.HandleFunc("GET /bytes/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		io.Copy(w, web.Bytes(int64(n)))
	})
	mux.HandleFunc("GET /sum", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Content-Sha256", fmt.Sprintf("%x", sha256.Sum256(make([]byte, 100))))
		w.Write(make([]byte, 100))
	})
	mux.HandleFunc("GET /nosum", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 100)) })
	mux.HandleFunc("GET /wrongsum", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Content-Sha256", "00")
		w.Write(make([]byte, 100))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return dialAddr(s.Listener.Addr().String())
}

func TestHTTP(t *testing.T) {
	dial := device(t)
	passes(t, "http", dial, Options{HTTP: HTTPOptions{Host: "plant.example", Contains: "pump 7 on plant.example"}}, "GET /: 200, 29 bytes")
	passes(t, "http", dial, Options{HTTP: HTTPOptions{Path: "/teapot", Status: 418}}, "GET /teapot: 418, 0 bytes")
	passes(t, "halfclose", dial, Options{}, "bytes came after our direction was closed")
	fails(t, "http", dial, Options{HTTP: HTTPOptions{Path: "/teapot"}}, "judging the answer", "status 418, and 200 is wanted", "")
	fails(t, "http", dial, Options{HTTP: HTTPOptions{Contains: "pump 8"}}, "judging the answer", `does not contain "pump 8"; it begins "<html>pump 7 on device"`, "")
	fails(t, "http", dial, Options{HTTP: HTTPOptions{Path: "x"}}, "sending the request", "want a path that begins with /", "")
	fails(t, "http", says(t, "SSH-2.0-x\r\n"), Options{}, "reading the status line and the header", `the server says "SSH-2", which is no HTTP`, "SSH server")
	fails(t, "http", says(t, "\x15\x03\x01\x00\x02\x02\x46"), Options{}, "reading the status line and the header", "no HTTP", "TLS")
	fails(t, "halfclose", says(t, "RFB 003.008\n"), Options{}, "judging the answer", `begins "RFB 003.008\n"`, "")
}

// An answer without end must not fill the memory.
func TestHTTPEndlessHeader(t *testing.T) {
	dial := serve(t, func(conn *net.TCPConn) {
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nX: ")
		line := []byte(strings.Repeat("x", 1<<16))
		for {
			if _, err := conn.Write(line); err != nil {
				return
			}
		}
	})
	fails(t, "http", dial, Options{}, "reading the status line and the header", "unexpected EOF", "audit log")
}

func TestBulk(t *testing.T) {
	dial := device(t)
	passes(t, "bulk", dial, Options{Bulk: BulkOptions{Size: 300_000, Seed: 7}}, "293 KiB up at")
	fails(t, "bulk", dial, Options{Bulk: BulkOptions{Size: 1000, UploadPath: "/liar"}}, "reading the answer to the upload", "does not confirm the SHA-256", "")
	fails(t, "bulk", dial, Options{Bulk: BulkOptions{Size: 100, DownloadPath: "/wrongsum"}}, "reading 100 bytes", "and 00 is right", "")
	passes(t, "bulk", dial, Options{Bulk: BulkOptions{Size: 100, DownloadPath: "/sum"}}, "100 bytes up at")
	fails(t, "bulk", dial, Options{Bulk: BulkOptions{Size: 100, DownloadPath: "/nosum"}}, "reading 100 bytes", "no header X-Content-Sha256", "")
	fails(t, "bulk", dial, Options{Bulk: BulkOptions{Size: 101, DownloadPath: "/sum"}}, "reading 101 bytes", "100 bytes came, and 101 are wanted", "")
	fails(t, "bulk", dial, Options{Bulk: BulkOptions{Size: -1}}, "starting", "size -1", "")

	echo := serve(t, func(conn *net.TCPConn) { io.Copy(conn, conn) })
	passes(t, "bulk", echo, Options{Bulk: BulkOptions{Size: 5 << 20, Echo: true}}, "5 MiB there and back")
	flip := serve(t, func(conn *net.TCPConn) {
		b := make([]byte, 1000)
		if _, err := io.ReadFull(conn, b); err == nil {
			b[500] ^= 1
			conn.Write(b)
		}
	})
	fails(t, "bulk", flip, Options{Bulk: BulkOptions{Size: 1000, Echo: true}}, "sending 1000 bytes and reading the echo", "the bytes changed on the way", "")
}

// The seed alone decides the data, so that two runs compare.
func TestNewData(t *testing.T) {
	read := func(seed uint64) string {
		b := make([]byte, 64)
		if _, err := io.ReadFull(newData(seed), b); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if first, again := read(1), read(1); first != again || first == read(2) {
		t.Error("the seed does not decide the data")
	}
}
