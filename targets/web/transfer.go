package web

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxBytes is the most that /bytes/N gives: one tebibyte.
const maxBytes = 1 << 40

// serveBytes gives N bytes that depend only on their place, with ranges.
func serveBytes(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil || n < 0 || n > maxBytes {
		http.Error(w, fmt.Sprintf("/bytes/N: N is %q, want 0 to %d", r.PathValue("n"), int64(maxBytes)), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store, no-transform")
	w.Header().Set("ETag", fmt.Sprintf(`"bytes-%d"`, n))
	http.ServeContent(&progressWriter{ResponseWriter: w, control: http.NewResponseController(w)}, r, "", time.Time{}, &pattern{size: n})
}

// Bytes gives the content of /bytes/N, for who wants to check it.
func Bytes(n int64) io.ReadSeeker { return &pattern{size: n} }

// pattern is content in which every eight bytes are a hash of their number, so that a lost or repeated part shows, and nothing
// compresses.
type pattern struct{ size, at int64 }

func (p *pattern) Read(b []byte) (int, error) {
	if p.at >= p.size {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), p.size-p.at)]
	var block [8]byte
	for n := 0; n < len(b); {
		at := p.at + int64(n)
		if at%8 == 0 && len(b)-n >= 8 {
			binary.LittleEndian.PutUint64(b[n:], mix(uint64(at/8)))
			n += 8
			continue
		}
		binary.LittleEndian.PutUint64(block[:], mix(uint64(at/8)))
		n += copy(b[n:], block[at%8:])
	}
	p.at += int64(len(b))
	return len(b), nil
}

// mix is the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (p *pattern) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += p.at
	case io.SeekEnd:
		offset += p.size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seeking to %d: before the beginning", offset)
	}
	p.at = offset
	return offset, nil
}

// progressWriter gives every write its own deadline: a long body on a slow link is fine, a stalled one is not.
type progressWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *progressWriter) Write(b []byte) (int, error) {
	w.control.SetWriteDeadline(time.Now().Add(stallTimeout))
	return w.ResponseWriter.Write(b)
}

// Upload is the answer of /upload.
type Upload struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// upload reads a body of any size and keeps nothing of it.
func upload(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	hash := sha256.New()
	n, err := io.Copy(hash, &progressReader{body: r.Body, control: control})
	if err != nil {
		http.Error(w, "reading the upload: "+err.Error(), http.StatusBadRequest)
		return
	}
	control.SetWriteDeadline(time.Now().Add(stallTimeout))
	writeJSON(w, Upload{Bytes: n, SHA256: hex.EncodeToString(hash.Sum(nil))})
}

// progressReader is progressWriter's other direction.
type progressReader struct {
	body    io.Reader
	control *http.ResponseController
}

func (r *progressReader) Read(b []byte) (int, error) {
	r.control.SetReadDeadline(time.Now().Add(stallTimeout))
	return r.body.Read(b)
}
