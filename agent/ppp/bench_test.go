package ppp_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"

	"minato/agent/ppp"
)

// duplex is one end of two kernel pipes.
type duplex struct {
	*os.File // read from
	w        *os.File
}

func (d duplex) Write(p []byte) (int, error) { return d.w.Write(p) }
func (d duplex) Close() error                { return errors.Join(d.File.Close(), d.w.Close()) }

func kernelPair(tb testing.TB) (a, b duplex) {
	tb.Helper()
	r1, w1, err1 := os.Pipe()
	r2, w2, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		tb.Fatal(err)
	}
	return duplex{r1, w2}, duplex{r2, w1}
}

// BenchmarkLink carries full packets of random octets over a kernel pipe, 32 to a write.
func BenchmarkLink(b *testing.B) {
	pa, pb := kernelPair(b)
	client, server := ppp.New(pa, ppp.Config{}), ppp.New(pb, modem(ppp.AuthNone))
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 2)
	go func() { ended <- client.Run(ctx) }()
	go func() { ended <- server.Run(ctx) }()
	<-client.Ready()
	<-server.Ready()
	var got atomic.Int64
	var want int64
	all := make(chan struct{}, 1)
	server.Attach(func(p []byte) {
		if got.Add(1)%32 == 0 {
			all <- struct{}{}
		}
	}, nil)
	r := rand.New(rand.NewPCG(1, 2))
	batch := make([][]byte, 32)
	for i := range batch {
		batch[i] = make([]byte, 1500)
		for j := range batch[i] {
			batch[i][j] = byte(r.Uint32())
		}
	}
	b.SetBytes(32 * 1500)
	b.ReportAllocs()
	for b.Loop() {
		if err := client.WritePackets(batch); err != nil {
			b.Fatal(err)
		}
		<-all
		want += 32
	}
	if got.Load() != want {
		b.Errorf("%d packets came, %d were sent", got.Load(), want)
	}
	cancel()
	<-ended
	<-ended
}

// TestHotPathAllocations: a packet costs no garbage, in either direction.
func TestHotPathAllocations(t *testing.T) {
	pa, pb := kernelPair(t)
	client, server := run(t, ppp.New(pa, ppp.Config{})), run(t, ppp.New(pb, modem(ppp.AuthNone)))
	await(t, client, server)
	arrived := make(chan struct{}, 64)
	server.Attach(func([]byte) { arrived <- struct{}{} }, nil)
	batch := [][]byte{make([]byte, 1500), make([]byte, 1500)}
	for i := range batch[1] {
		batch[1][i] = '}'
	}
	allocs := testing.AllocsPerRun(200, func() {
		if err := client.WritePackets(batch); err != nil {
			t.Fatal(err)
		}
		<-arrived
		<-arrived
	})
	if allocs > 0.5 {
		t.Errorf("%v allocations for two packets", allocs)
	}
	client.cancel()
	server.cancel()
	client.wait()
	server.wait()
}
