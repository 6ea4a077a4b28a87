package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"minato/relay/store"
)

// metrics are what the relay counts, in a registry of its own.
type metrics struct {
	registry *prometheus.Registry

	calls      *prometheus.CounterVec   // by route and status
	entries    *prometheus.CounterVec   // audit entries by type
	causes     *prometheus.CounterVec   // by code
	bytes      *prometheus.CounterVec   // by direction
	handshakes prometheus.Histogram     // seconds
	dials      *prometheus.HistogramVec // seconds, by outcome
}

// newMetrics makes the counters. What is read when it is asked for comes from r.
func newMetrics(r *Relay) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	count := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "minato_relay_" + name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string, read func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "minato_relay_" + name, Help: help}, read))
	}
	m.calls = count("api_calls_total", "API calls, by route and status.", "route", "status")
	m.entries = count("audit_entries_total", "Audit entries, by type; an entry that stands for many counts as many.", "type")
	m.causes = count("causes_total", "Connections that failed, by the code of their cause.", "code", "cause")
	m.bytes = count("bytes_total", "Bytes of ended connections, by direction: up is client to device.", "direction")
	buckets := prometheus.ExponentialBuckets(0.001, 2.5, 12)
	m.handshakes = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "minato_relay_tls_handshake_seconds", Help: "Good TLS handshakes of clients.", Buckets: buckets})
	m.dials = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "minato_relay_dial_seconds", Help: "Dialling devices, by outcome: ok or the code of the cause.", Buckets: buckets}, []string{"outcome"})
	m.registry.MustRegister(m.handshakes, m.dials, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge("mappings", "Port mappings whose ports are open.", func() float64 { return float64(r.mappings.count()) })
	gauge("connections", "Live connections.", func() float64 { return float64(r.live.count()) })
	return m
}

func (m *metrics) call(pattern string, status int) {
	m.calls.WithLabelValues(pattern, strconv.Itoa(status)).Inc()
}

func (m *metrics) entry(e store.Entry) {
	n := float64(max(e.Count, 1))
	m.entries.WithLabelValues(string(e.Type)).Add(n)
	if e.Code != "" {
		m.causes.WithLabelValues(e.Code, Cause(e.Code).String()).Add(n)
	}
	if e.Type == store.Closed {
		m.bytes.WithLabelValues("up").Add(float64(e.BytesUp))
		m.bytes.WithLabelValues("down").Add(float64(e.BytesDown))
	}
}

func (m *metrics) dialled(took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		if outcome = string(causeOfDial(err)); outcome == "" {
			outcome = "error"
		}
	}
	m.dials.WithLabelValues(outcome).Observe(took.Seconds())
}

// serveMetrics answers GET /metrics on its own address until ctx ends; without an address it does nothing.
func (r *Relay) serveMetrics(ctx context.Context) (wait func(), err error) {
	if r.cfg.Metrics == "" {
		return func() {}, nil
	}
	l, err := r.cfg.Listen("tcp", r.cfg.Metrics)
	if err != nil {
		return nil, fmt.Errorf("opening the metrics' address %q: %w", r.cfg.Metrics, err)
	}
	r.metricsAddr = l.Addr()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r.metrics.registry, promhttp.HandlerOpts{}))
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute, BaseContext: func(net.Listener) context.Context { return ctx }}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	go func() { // ends when ctx does, by Close
		defer close(done)
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			r.log.Error("serving the metrics", "error", err)
		}
	}()
	return func() {
		if stop() {
			srv.Close()
		}
		<-done
	}, nil
}
