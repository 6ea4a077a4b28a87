package emulator

import (
	"maps"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"minato/agent/ppp"
)

// metrics reads the modems' own counters when it is asked: nothing is counted twice.
type metrics struct{ modems []*Modem }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("minato_emulator_"+name, help, append([]string{"modem"}, labels...), nil)
}

var (
	metricRegistered = desc("modem_registered", "1 while the modem is registered with the network.")
	metricBooting    = desc("modem_booting", "1 while the modem boots and hears no command.")
	metricActive     = desc("calls_active", "Data calls under way.")
	metricCalls      = desc("calls_total", "Data calls that began.")
	metricSessions   = desc("sessions_total", "Sessions that the network opened.")
	metricFrames     = desc("ppp_frames_total", "Good PPP frames; up is from the user.", "direction")
	metricBytes      = desc("ppp_bytes_total", "Bytes on the line of data calls, framing included; up is from the user.", "direction")
	metricPackets    = desc("ip_packets_total", "IP packets of data calls; up is from the user.", "direction")
	metricBadFCS     = desc("ppp_bad_fcs_total", "PPP frames from the user that were thrown away for their FCS.")
	metricMalformed  = desc("ppp_malformed_total", "PPP frames from the user that were thrown away for another reason.")
	metricDropped    = desc("dropped_bytes_total", "Bytes of results that the user did not read in time.")
	metricInjected   = desc("faults_injected_total", "Faults that were injected.", "fault")
	metricFaults     = desc("faults_active", "Faults that are active.")
)

// Describe implements prometheus.Collector.
func (m metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		metricRegistered, metricBooting, metricActive, metricCalls, metricSessions, metricFrames, metricBytes, metricPackets,
		metricBadFCS, metricMalformed, metricDropped, metricInjected, metricFaults,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m metrics) Collect(to chan<- prometheus.Metric) {
	for _, modem := range m.modems {
		name := strconv.Itoa(modem.index)
		gauge := func(d *prometheus.Desc, v float64) {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, name)
		}
		count := func(d *prometheus.Desc, v uint64, labels ...string) {
			to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), append([]string{name}, labels...)...)
		}
		s, t := modem.dce.Status(), modem.dce.Traffic()
		gauge(metricRegistered, oneIf(s.Operator != ""))
		gauge(metricBooting, oneIf(s.Booting))
		gauge(metricActive, float64(len(s.Calls)))
		count(metricCalls, t.Calls)
		count(metricSessions, t.Sessions)
		for _, d := range bothWays(t.PPP) {
			count(metricFrames, d.frames, d.name)
			count(metricBytes, d.bytes, d.name)
			count(metricPackets, d.packets, d.name)
		}
		count(metricBadFCS, t.PPP.BadFCS)
		count(metricMalformed, t.PPP.Malformed)
		count(metricDropped, t.Dropped)
		modem.mu.Lock()
		injected, active := maps.Clone(modem.injected), len(modem.faults)
		modem.mu.Unlock()
		for fault, n := range injected {
			count(metricInjected, n, fault)
		}
		gauge(metricFaults, float64(active))
	}
}

// way is one direction of a modem's traffic.
type way struct {
	name                   string
	frames, bytes, packets uint64
}

// bothWays turns the counters of the modem's PPP servers, whose in is the user's up.
func bothWays(s ppp.Stats) []way {
	return []way{{"up", s.FramesIn, s.BytesIn, s.PacketsIn}, {"down", s.FramesOut, s.BytesOut, s.PacketsOut}}
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// metricsHandler serves a registry of this emulator's own: several may run in one process.
func (e *Emulator) metricsHandler() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics{e.modems}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}
