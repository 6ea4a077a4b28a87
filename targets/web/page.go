package web

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"minato/targets/plc"
)

// eventInterval is how often a page gets new values: often enough to see the plant move, seldom enough for a slow link.
const eventInterval = time.Second

// index gives the page with the values of this moment, so that it says something without a script too.
func (s *Server) index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	fillPage(w, s.page, s.cfg.Name, s.cfg.Plant.Values())
}

// fillPage writes the page with each {place} filled. It is no html/template, whose reflection makes the linker keep every method of the
// program: 2 MB on a small device.
func fillPage(w io.Writer, page, name string, v plc.Values) {
	fixed := func(x float64, decimals int) string { return strconv.FormatFloat(x, 'f', decimals, 64) }
	pump, automatic := "off", "by hand"
	if v.Pump {
		pump = "on"
	}
	if v.Automatic {
		automatic = "by the controller"
	}
	strings.NewReplacer(
		"{name}", html.EscapeString(name),
		"{level}", fixed(v.Level, 1),
		"{setpoint}", fixed(v.Setpoint, 1),
		"{temperature}", fixed(v.Temperature, 1),
		"{inflow}", fixed(v.Inflow, 2),
		"{outflow}", fixed(v.Outflow, 2),
		"{pump-on}", strconv.FormatBool(v.Pump),
		"{pump}", pump,
		"{automatic}", automatic,
		"{valve}", fixed(v.Valve, 0),
	).WriteString(w, page)
}

func static(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeFileFS(w, r, pages, name)
	})
}

func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
}

func (s *Server) values(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, s.cfg.Plant.Values())
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

// events is a stream of values as server-sent events. It ends with the request, or when its reader has stalled.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	changes, stop := s.cfg.Plant.Subscribe()
	defer stop()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	values := s.cfg.Plant.Values()
	for {
		b, err := json.Marshal(values)
		if err != nil {
			return
		}
		control.SetWriteDeadline(time.Now().Add(stallTimeout))
		if _, err := fmt.Fprintf(w, "data: %s\n\n", b); err != nil || control.Flush() != nil {
			return
		}
		sent := values.Uptime
		for values.Uptime < sent+eventInterval {
			select {
			case <-r.Context().Done():
				return
			case values = <-changes:
			}
		}
	}
}
