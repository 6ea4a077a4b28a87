package console

import (
	"embed"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// embedded holds what the build has made: dist/ with index.html, the files that it names, each also compressed. On a checkout where it was not
// made there is only the page that says how to make it.
//
//go:embed dist*
var embedded embed.FS

// file is one embedded file, in the encodings that it has.
type file struct {
	kind      string            // Content-Type
	encodings map[string][]byte // by Content-Encoding; "": as it is
}

// encodings by the endings of compressed files, the best first.
var encodings = []struct{ ending, name string }{{".br", "br"}, {".gz", "gzip"}}

// pages serves the console's files. Each path that is no file is a page of the application, which reads the path itself.
type pages struct {
	files map[string]file // by name
	index file
}

// newPages reads the files. Those beside index.html have a hash of their content in their names.
func newPages(source fs.FS) (*pages, error) {
	absent, err := fs.ReadFile(source, "dist-absent.html")
	if err != nil {
		return nil, err
	}
	const html = "text/html; charset=utf-8"
	p := &pages{files: map[string]file{}, index: file{html, map[string][]byte{"": absent}}}
	entries, err := fs.ReadDir(source, "dist")
	if err != nil {
		return p, nil // not built
	}
	for _, e := range entries {
		content, err := fs.ReadFile(source, path.Join("dist", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading an embedded page: %w", err)
		}
		name, encoding := e.Name(), ""
		for _, enc := range encodings {
			if plain, ok := strings.CutSuffix(name, enc.ending); ok {
				name, encoding = plain, enc.name
			}
		}
		f, ok := p.files[name]
		if !ok {
			f = file{mime.TypeByExtension(path.Ext(name)), map[string][]byte{}}
		}
		f.encodings[encoding] = content
		p.files[name] = f
	}
	if index, ok := p.files["index.html"]; ok {
		index.kind = html
		p.index = index
		delete(p.files, "index.html")
	}
	return p, nil
}

func (p *pages) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "pages are only read", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(req.URL.Path, "/console/")
	f, found := p.files[name]
	switch {
	case found:
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // another content has another name
	case path.Ext(name) == ".js" || path.Ext(name) == ".css":
		http.NotFound(w, req) // of a build before this one
		return
	default:
		f = p.index
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Vary", "Accept-Encoding")
	body := f.encodings[""]
	for _, enc := range encodings {
		if compressed, ok := f.encodings[enc.name]; ok && accepts(req, enc.name) {
			w.Header().Set("Content-Encoding", enc.name)
			body = compressed
			break
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if req.Method != http.MethodHead {
		w.Write(body) // an error means that the browser has gone
	}
}

// accepts tells whether a request takes an encoding (RFC 9110 section 12.5.3).
func accepts(req *http.Request, encoding string) bool {
	for part := range strings.SplitSeq(req.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), encoding) && strings.TrimSpace(weight) != "q=0" {
			return true
		}
	}
	return false
}
