package relay

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"minato/relay/relayapi"
)

// BenchmarkCreateCall makes 5,000 mappings over the API, one call after the other, each synced to the disk before it is answered; then all are open at
// once, and a start finds them all again.
func BenchmarkCreateCall(b *testing.B) {
	const many = 5000
	dir := b.TempDir()
	client := &relayapi.Client{}
	start := func() (stop func()) {
		r, err := New(Config{
			Dir: dir, API: "127.0.0.1:0", Directory: testSIMs, CallRate: 1e6, DrainTimeout: -1,
			MappingIP:    netip.MustParseAddr("127.0.0.78"), // whose ports no test takes
			Network:      dialError(ErrOffline),
			BootstrapKey: func(id, secret string) { client.AuthKeyID, client.AuthKey = id, secret },
		})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }() // ends when ctx does
		<-r.Ready()
		client.BaseURL = "http://" + r.APIAddr().String()
		return func() {
			cancel()
			if err := <-ended; err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		stop := start()
		var took []time.Duration
		var made []*relayapi.PortMapping
		for range many {
			began := time.Now()
			m, err := client.CreatePortMapping(b.Context(), relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: simA, Port: 80}})
			if err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(began))
			made = append(made, m)
		}
		slices.Sort(took)
		b.ReportMetric(took[many/2].Seconds()*1000, "create-p50-ms")
		b.ReportMetric(took[many*99/100].Seconds()*1000, "create-p99-ms")
		stop()
		began := time.Now()
		stop = start()
		b.ReportMetric(time.Since(began).Seconds()*1000, "restart-ms")
		for _, m := range made {
			conn, err := net.Dial("tcp", m.Endpoint)
			if err != nil {
				b.Fatal(err)
			}
			conn.Close()
		}
		for _, m := range made {
			if err := client.DeletePortMapping(b.Context(), m.IPAddress, m.Port); err != nil {
				b.Fatal(err)
			}
		}
		stop()
	}
}
