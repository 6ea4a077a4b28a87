package check

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"minato/targets/web"
)

// BulkOptions of "bulk": seeded pseudo-random data, compared by SHA-256.
type BulkOptions struct {
	Size         int64  // bytes in each direction; 0: 1 MiB
	Seed         uint64 // of the data
	Echo         bool   // the far end sends every byte back; false: it is HTTP with an upload and a download
	Host         string // Host header; "": device
	UploadPath   string // "": /upload, to which the data is PUT; the answer must hold its SHA-256 in hex
	DownloadPath string // "": /bytes/N of package targets/web, whose content is known; another's SHA-256 must be in header X-Content-Sha256
}

// Bulk moves data both ways and compares what arrived.
func Bulk(ctx context.Context, dial Dial, o Options) (Result, error) {
	return run(ctx, "bulk", o, func(ctx context.Context, r *recorder) error {
		opts := o.Bulk
		if opts.Size == 0 {
			opts.Size = 1 << 20
		}
		if opts.Size < 0 {
			return fmt.Errorf("size %d: want a positive number of bytes", opts.Size)
		}
		if opts.Echo {
			return bulkEcho(ctx, r, dial, opts)
		}
		up, err := bulkUpload(ctx, r, dial, opts)
		if err != nil {
			return err
		}
		down, err := bulkDownload(ctx, r, dial, opts)
		if err != nil {
			return err
		}
		r.summaryf("%s up at %s, down at %s, both intact", size(opts.Size), rate(opts.Size, up), rate(opts.Size, down))
		return nil
	})
}

// newData is an endless stream that only the seed decides.
func newData(seed uint64) io.Reader {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return rand.NewChaCha8(key)
}

// bulkEcho reads while it writes, since an echo stops reading when nobody takes its answer.
func bulkEcho(ctx context.Context, r *recorder, dial Dial, opts BulkOptions) error {
	conn, err := r.dial(ctx, dial)
	if err != nil {
		return err
	}
	r.begin(fmt.Sprintf("sending %s and reading the echo", size(opts.Size)))
	began := time.Now()
	sent, got := sha256.New(), sha256.New()
	writeErr := make(chan error, 1)
	go func() { // ends when all is written, or with conn
		_, err := io.CopyN(conn, io.TeeReader(newData(opts.Seed), sent), opts.Size)
		writeErr <- err
	}()
	n, err := io.CopyN(got, conn, opts.Size)
	if err != nil {
		conn.Close()
		if werr := <-writeErr; werr != nil && errors.Is(err, io.EOF) {
			return fmt.Errorf("the echo ended after %d of %d bytes, while sending: %w", n, opts.Size, werr)
		}
		return fmt.Errorf("the echo ended after %d of %d bytes: %w", n, opts.Size, err)
	}
	if err := <-writeErr; err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	if err := sameSum(sent, got); err != nil {
		return err
	}
	r.summaryf("%s there and back at %s, intact", size(opts.Size), rate(opts.Size, time.Since(began)))
	return nil
}

func bulkUpload(ctx context.Context, r *recorder, dial Dial, opts BulkOptions) (time.Duration, error) {
	conn, err := r.dial(ctx, dial)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	r.begin(fmt.Sprintf("sending %s", size(opts.Size)))
	began := time.Now()
	sent := sha256.New()
	if err := writeRequest(conn, http.MethodPut, opts.Host, or(opts.UploadPath, "/upload"), io.TeeReader(newData(opts.Seed), sent), opts.Size); err != nil {
		return 0, err
	}
	r.begin("reading the answer to the upload")
	in, resp, err := readResponse(conn, http.MethodPut)
	if err != nil {
		return 0, err
	}
	in.N = maxHTTPHeader
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxHTTPHeader))
	if err != nil {
		return 0, fmt.Errorf("after %d bytes: %w", len(body), err)
	}
	took := time.Since(began)
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("status %s: %q", resp.Status, clip(body, 80))
	}
	want := hex.EncodeToString(sent.Sum(nil))
	if !bytes.Contains(bytes.ToLower(body), []byte(want)) {
		return 0, fmt.Errorf("the device does not confirm the SHA-256 %s; it says %q", want, clip(body, 160))
	}
	r.logf("%s up in %s, SHA-256 %s confirmed", size(opts.Size), took.Round(time.Millisecond), want)
	return took, nil
}

func bulkDownload(ctx context.Context, r *recorder, dial Dial, opts BulkOptions) (time.Duration, error) {
	conn, err := r.dial(ctx, dial)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	path := or(opts.DownloadPath, fmt.Sprintf("/bytes/%d", opts.Size))
	r.begin("asking for " + path)
	began := time.Now()
	if err := writeRequest(conn, http.MethodGet, opts.Host, path, nil, 0); err != nil {
		return 0, err
	}
	in, resp, err := readResponse(conn, http.MethodGet)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("status %s", resp.Status)
	}
	r.begin(fmt.Sprintf("reading %s", size(opts.Size)))
	in.N = 2*opts.Size + maxHTTPHeader // chunk headers may come on top
	want := resp.Header.Get("X-Content-Sha256")
	if want == "" && opts.DownloadPath != "" {
		return 0, errors.New("the answer has no header X-Content-Sha256 to compare with")
	}
	got := sha256.New()
	n, err := io.Copy(got, io.LimitReader(resp.Body, opts.Size+1))
	if err != nil {
		return 0, fmt.Errorf("after %d of %d bytes: %w", n, opts.Size, err)
	}
	took := time.Since(began)
	if n != opts.Size {
		return 0, fmt.Errorf("%d bytes came, and %d are wanted", n, opts.Size)
	}
	sum := hex.EncodeToString(got.Sum(nil))
	if opts.DownloadPath == "" {
		known := sha256.New()
		if _, err := io.Copy(known, web.Bytes(opts.Size)); err != nil {
			return 0, err
		}
		want = hex.EncodeToString(known.Sum(nil))
	}
	if want != sum {
		return 0, fmt.Errorf("the bytes changed on the way: SHA-256 %s came, and %s is right", sum, want)
	}
	r.logf("%s down in %s, SHA-256 %s", size(opts.Size), took.Round(time.Millisecond), sum)
	return took, nil
}

func sameSum(sent, got hash.Hash) error {
	if s, g := sent.Sum(nil), got.Sum(nil); !bytes.Equal(s, g) {
		return fmt.Errorf("the bytes changed on the way: SHA-256 %x was sent, %x came", s, g)
	}
	return nil
}

func size(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.4g MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.4g KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}

func rate(n int64, d time.Duration) string {
	return fmt.Sprintf("%.3g Mbit/s", float64(n)*8/1e6/max(d.Seconds(), 1e-6))
}
