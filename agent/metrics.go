package agent

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Metrics are written by hand in Prometheus' text format: its library costs 2.3 MB of a 13 MB binary.

// keepMetrics serves until ctx ends. A port that another program has is tried again, and told of once for each reason: it is no reason to lose
// the link.
func (a *Agent) keepMetrics(ctx context.Context) {
	told := ""
	for ctx.Err() == nil {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", a.cfg.Metrics)
		if err == nil {
			told = ""
			err = a.serveMetrics(ctx, l)
		}
		if ctx.Err() != nil {
			return
		}
		if told != err.Error() {
			told = err.Error()
			a.log.Warn("metrics are not served", "address", a.cfg.Metrics, "error", err)
		}
		pauseUntil(ctx, metricsPause)
	}
}

// metricsPause is how long a metrics port that cannot be opened rests.
const metricsPause = time.Minute

// serveMetrics answers GET /metrics until ctx ends.
func (a *Agent) serveMetrics(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		writeMetrics(w, a.Status(), readFootprint())
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	return srv.Serve(l)
}

// A metricWriter writes families: HELP and TYPE, then samples.
type metricWriter struct{ w *bufio.Writer }

func (m metricWriter) family(name, kind, help string) {
	fmt.Fprintf(m.w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// labelEscapes are those of the text format.
var labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// sample writes one value; labels are names and values in turn.
func (m metricWriter) sample(name string, v float64, labels ...string) {
	m.w.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		fmt.Fprintf(m.w, `%s%s="%s"`, sep, labels[i], labelEscapes.Replace(strings.ToValidUTF8(labels[i+1], "")))
	}
	if len(labels) > 0 {
		m.w.WriteByte('}')
	}
	m.w.WriteString(" " + strconv.FormatFloat(v, 'g', -1, 64) + "\n")
}

func (m metricWriter) one(name, kind, help string, v float64) {
	m.family(name, kind, help)
	m.sample(name, v)
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// writeMetrics writes a status. Figures that are not known are left out.
func writeMetrics(w io.Writer, s Status, f footprint) {
	m := metricWriter{bufio.NewWriter(w)}
	defer m.w.Flush()
	m.one("minato_agent_online", "gauge", "Whether the services can be reached.", flag(s.State == StateOnline))
	m.family("minato_agent_state", "gauge", "The state of the round; one is 1.")
	for i, name := range stateNames {
		m.sample("minato_agent_state", flag(s.State == State(i)), "state", name)
	}
	m.one("minato_agent_rounds_total", "counter", "Rounds begun.", float64(s.Rounds))
	m.family("minato_agent_failures_total", "counter", "Rounds that ended, by cause.")
	for _, code := range codes {
		m.sample("minato_agent_failures_total", float64(s.Failures[code]), "code", string(code), "name", codeNames[code])
	}
	m.family("minato_agent_cures_total", "counter", "Cures done, by step of the ladder.")
	for _, c := range cureNames[1:] {
		m.sample("minato_agent_cures_total", float64(s.Cures[c]), "cure", c)
	}
	if s.Modem != nil {
		m.family("minato_agent_modem_info", "gauge", "The modem.")
		m.sample("minato_agent_modem_info", 1, "manufacturer", s.Modem.Manufacturer, "model", s.Modem.Model, "revision", s.Modem.Revision, "profile", s.Modem.Profile)
	}
	if !s.Connected.IsZero() {
		m.one("minato_agent_link_since_seconds", "gauge", "When the link got its address, Unix time.", float64(s.Connected.Unix()))
	}
	m.signal(s)
	if p := s.PPP; p != nil {
		m.family("minato_agent_ppp_bytes", "gauge", "Octets on the line since the link began, framing included.")
		m.sample("minato_agent_ppp_bytes", float64(p.BytesIn), "direction", "in")
		m.sample("minato_agent_ppp_bytes", float64(p.BytesOut), "direction", "out")
		m.family("minato_agent_ppp_packets", "gauge", "IP packets since the link began.")
		m.sample("minato_agent_ppp_packets", float64(p.PacketsIn), "direction", "in")
		m.sample("minato_agent_ppp_packets", float64(p.PacketsOut), "direction", "out")
		m.one("minato_agent_ppp_bad_frames", "gauge", "Frames thrown away since the link began.", float64(p.BadFCS+p.Malformed))
	}
	if p := s.Probe; p != nil {
		m.one("minato_agent_probe_missed", "gauge", "Probes in a row without an answer.", float64(p.Missed))
		if p.Missed == 0 {
			m.one("minato_agent_probe_rtt_seconds", "gauge", "Round trip of the last probe.", p.RTT)
		}
	}
	m.services(s)
	m.footprint(f)
}

func (m metricWriter) signal(s Status) {
	if s.Signal == nil {
		return
	}
	for _, v := range []struct {
		name, help string
		value      *int
	}{
		{"minato_agent_rssi_dbm", "Received signal strength.", s.Signal.RSSI}, {"minato_agent_rsrp_dbm", "Reference signal power.", s.Signal.RSRP},
		{"minato_agent_rsrq_db", "Reference signal quality.", s.Signal.RSRQ}, {"minato_agent_sinr_db", "Signal to interference and noise.", s.Signal.SINR},
	} {
		if v.value != nil {
			m.one(v.name, "gauge", v.help, float64(*v.value))
		}
	}
}

func (m metricWriter) services(s Status) {
	if len(s.Services) > 0 {
		for _, f := range []struct {
			name, kind, help string
			value            func(ServiceStatus) float64
		}{
			{"minato_agent_service_up", "gauge", "Whether the service listens, and its local port took the last connection.", func(v ServiceStatus) float64 { return flag(v.Up) }},
			{"minato_agent_service_connections", "gauge", "Connections now.", func(v ServiceStatus) float64 { return float64(v.Active) }},
			{"minato_agent_service_connections_total", "counter", "Connections since the start.", func(v ServiceStatus) float64 { return float64(v.Total) }},
			{"minato_agent_service_refused_total", "counter", "Connections over the limit since the start.", func(v ServiceStatus) float64 { return float64(v.Refused) }},
		} {
			m.family(f.name, f.kind, f.help)
			for _, sv := range s.Services {
				m.sample(f.name, f.value(sv), "service", sv.Name, "port", strconv.Itoa(sv.Port))
			}
		}
	}
	if len(s.Forwards) > 0 {
		m.family("minato_agent_forward_connections", "gauge", "Connections into the closed network now.")
		for _, f := range s.Forwards {
			m.sample("minato_agent_forward_connections", float64(f.Active), "listen", f.Listen, "to", f.To)
		}
	}
}

// codes are the causes in order.
var codes = func() []Code {
	var out []Code
	for c := range codeNames {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}()
