package agent

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"minato/agent/modem"
	"minato/agent/ppp"
)

// Prometheus' own parser reads what we write.
func TestMetrics(t *testing.T) {
	rsrp := -97
	s := Status{
		State: StateOnline, Rounds: 3, Failures: map[Code]int{DeadLink: 2}, Cures: map[string]int{"radio": 1},
		Modem: &modem.Identity{Manufacturer: "Que\"ctel\\\n", Model: "\xff"}, Signal: &modem.Signal{RSRP: &rsrp}, PPP: &ppp.Stats{BytesIn: 7},
		Probe: &ProbeStatus{RTT: 0.05}, Services: []ServiceStatus{{Name: "ssh", Port: 22, Up: true, Total: 4}},
		Forwards: []GatewayStatus{{Listen: "127.0.0.1:1", To: "socks5", Active: 2}},
	}
	var b bytes.Buffer
	writeMetrics(&b, s, readFootprint())
	problems, err := promlint.New(bytes.NewReader(b.Bytes())).Lint()
	if err != nil || len(problems) != 0 {
		t.Errorf("%v %v", problems, err)
	}
	want := `# HELP minato_agent_online Whether the services can be reached.
# TYPE minato_agent_online gauge
minato_agent_online 1
# HELP minato_agent_rsrp_dbm Reference signal power.
# TYPE minato_agent_rsrp_dbm gauge
minato_agent_rsrp_dbm -97
# HELP minato_agent_modem_info The modem.
# TYPE minato_agent_modem_info gauge
minato_agent_modem_info{manufacturer="Que\"ctel\\\n",model="",revision="",profile=""} 1
# HELP minato_agent_service_connections_total Connections since the start.
# TYPE minato_agent_service_connections_total counter
minato_agent_service_connections_total{service="ssh",port="22"} 4
# HELP minato_agent_forward_connections Connections into the closed network now.
# TYPE minato_agent_forward_connections gauge
minato_agent_forward_connections{listen="127.0.0.1:1",to="socks5"} 2
`
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total", "process_resident_memory_bytes"} {
		want += "# TYPE " + name // its value is of this process
		if name == "process_cpu_seconds_total" {
			want += " counter\n"
		} else {
			want += " gauge\n"
		}
	}
	for line := range strings.Lines(want) {
		if !strings.Contains(b.String(), line) {
			t.Errorf("%q is not in:\n%s", line, &b)
		}
	}
}

func TestMetricsPort(t *testing.T) {
	f := newFakeModem(t, nil)
	cfg := config(f.path, echoServer(t))
	cfg.Metrics = freePort(t)
	r := start(t, cfg)
	<-r.Ready()
	await(t, func() bool {
		resp, err := http.Get("http://" + cfg.Metrics + "/metrics")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	http.DefaultClient.CloseIdleConnections()
}
