package capture

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/gopacket/gopacket/pcapgo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// read gives the interface of every packet, and fails on half a block.
func read(t *testing.T, file []byte) (ifaces []int, names []string) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		ifaces = append(ifaces, ci.InterfaceIndex)
	}
	for i := range r.NInterfaces() {
		intf, err := r.Interface(i)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, intf.Name)
	}
	return ifaces, names
}

// growing is a file that is read after every write: it must be whole each time.
type growing struct {
	t    *testing.T
	file bytes.Buffer
	n    int
}

func (g *growing) Write(p []byte) (int, error) {
	g.file.Write(p)
	g.n++
	read(g.t, g.file.Bytes())
	return len(p), nil
}

func TestWholeBlocks(t *testing.T) {
	g := &growing{t: t}
	w, err := New(g)
	if err != nil {
		t.Fatal(err)
	}
	dev, err := w.Interface("modem0", "IMSI 440101234567890")
	if err != nil {
		t.Fatal(err)
	}
	packet := append([]byte{0x45}, make([]byte, 1000)...)
	const each = 100
	var wg sync.WaitGroup
	for _, iface := range []int{0, dev} {
		for _, dir := range []Direction{Inbound, Outbound} {
			wg.Go(func() {
				for range each {
					w.Packet(iface, dir, packet)
				}
			})
		}
	}
	wg.Wait()
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	ifaces, names := read(t, g.file.Bytes())
	count := map[int]int{}
	for _, i := range ifaces {
		count[i]++
	}
	if count[0] != 2*each || count[dev] != 2*each || len(names) != 2 || names[dev] != "modem0" {
		t.Errorf("packets by interface %v, names %q", count, names)
	}
	if g.n < 4 {
		t.Errorf("%d writes: it was not written while it grew", g.n)
	}
}

type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

// TestFileFull wants the first error to stay, and nothing to break.
func TestFileFull(t *testing.T) {
	w, err := New(&full{room: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		w.Packet(0, Unknown, make([]byte, 1000))
	}
	for range 2 {
		if err := w.Flush(); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("flush: %v", err)
		}
	}
	if _, err := w.Interface("late", ""); err == nil {
		t.Error("an interface was added to a file that is full")
	}
}

func TestUnknownInterface(t *testing.T) {
	w, err := New(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	w.Packet(7, Unknown, []byte{0x45})
	if err := w.Flush(); err == nil {
		t.Error("a packet of an interface that is none was taken")
	}
}
