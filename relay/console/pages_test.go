package console

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

func TestPages(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, "script")
	z.Close()
	built, err := newPages(fstest.MapFS{
		"dist-absent.html":       {Data: []byte("absent")},
		"dist/index.html":        {Data: []byte("index")},
		"dist/index.html.br":     {Data: []byte("brotli")},
		"dist/main-1A.js":        {Data: []byte("script")},
		"dist/main-1A.js.gz":     {Data: zipped.Bytes()},
		"dist/main-1A.css":       {Data: []byte("style")},
		"dist/main-1A.css.LEGAL": {Data: []byte("MIT")},
	})
	if err != nil {
		t.Fatal(err)
	}
	absent, err := newPages(fstest.MapFS{"dist-absent.html": {Data: []byte("absent")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path, accept  string
		pages               *pages
		body, kind, enc, cc string
	}{
		{"not built", "/console/", "br", absent, "absent", "text/html; charset=utf-8", "", ""},
		{"index", "/console/", "", built, "index", "text/html; charset=utf-8", "", ""},
		{"index, compressed", "/console/", "gzip, br", built, "brotli", "text/html; charset=utf-8", "br", ""},
		{"a page of the application", "/console/devices/89", "", built, "index", "text/html; charset=utf-8", "", ""},
		{"script", "/console/main-1A.js", "", built, "script", "text/javascript; charset=utf-8", "", "public, max-age=31536000, immutable"},
		{"script, compressed", "/console/main-1A.js", "br;q=0, gzip", built, zipped.String(), "text/javascript; charset=utf-8", "gzip", "public, max-age=31536000, immutable"},
		{"style", "/console/main-1A.css", "br", built, "style", "text/css; charset=utf-8", "", "public, max-age=31536000, immutable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := httptest.NewRequest("GET", tt.path, nil)
			req.Header.Set("Accept-Encoding", tt.accept)
			w := httptest.NewRecorder()
			tt.pages.ServeHTTP(w, req)
			h := w.Header()
			if w.Body.String() != tt.body || h.Get("Content-Type") != tt.kind || h.Get("Content-Encoding") != tt.enc || h.Get("Cache-Control") != tt.cc {
				t.Errorf("got %q %v, want %q, %s, encoding %q, cache %q", w.Body, h, tt.body, tt.kind, tt.enc, tt.cc)
			}
		})
	}
}
