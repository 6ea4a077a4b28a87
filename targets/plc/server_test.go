package plc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grid-x/modbus"
)

func client(t *testing.T, address string) modbus.Client {
	t.Helper()
	return clientOf(t, address, PlantUnit)
}

func clientOf(t *testing.T, address string, unit byte) modbus.Client {
	t.Helper()
	h := modbus.NewTCPClientHandler(address)
	h.Timeout = 60 * time.Second
	h.SetSlave(unit)
	if err := h.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return modbus.NewClient(h)
}

// TestClient holds the server against grid-x/modbus.
func TestClient(t *testing.T) {
	ctx := context.Background()
	plant := New(Config{Seed: 1})
	for range 100 {
		plant.Step()
	}
	c := client(t, serve(t, NewServer(ServerConfig{Units: Units(plant)})))

	check := func(what string, want []byte) func([]byte, error) {
		return func(got []byte, err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
	}
	check("pump off", []byte{0, 0})(c.WriteSingleCoil(ctx, 0, 0))
	check("coils", []byte{0})(c.ReadCoils(ctx, 0, 2))
	check("coils on", []byte{0, 2})(c.WriteMultipleCoils(ctx, 0, 2, []byte{3}))
	check("coils", []byte{3})(c.ReadCoils(ctx, 0, 2))
	inputs := byte(0b0010) // the valve is open, the level in the middle
	if plant.Values().Inflow > 0 {
		inputs |= 1
	}
	check("discrete inputs", []byte{inputs})(c.ReadDiscreteInputs(ctx, 0, 4))
	check("level and temperature", binary.BigEndian.AppendUint16(
		binary.BigEndian.AppendUint16(nil, tenths(plant.Values().Level)), tenths(plant.Values().Temperature)))(c.ReadInputRegisters(ctx, 0, 2))
	check("uptime", []byte{0, 0, 0, 20})(c.ReadInputRegisters(ctx, 4, 2))
	check("setpoint", []byte{0x02, 0xbc})(c.WriteSingleRegister(ctx, 0, 700))
	check("setpoint and valve", []byte{0x02, 0xbc, 0x01, 0x90})(c.ReadHoldingRegisters(ctx, 0, 2))
	check("scratch", []byte{0, 2})(c.WriteMultipleRegisters(ctx, 100, 2, []byte{1, 2, 3, 4}))
	check("mask", []byte{0xff, 0x00, 0x00, 0x55})(c.MaskWriteRegister(ctx, 100, 0xff00, 0x0055))
	check("exchange", []byte{0x01, 0x55, 0x09, 0x08})(c.ReadWriteMultipleRegisters(ctx, 100, 2, 101, 1, []byte{9, 8}))
	// Its ReadFIFOQueue miscounts the specification's own example, so the queue is judged in TestSpecificationExamples.
	if id, err := c.ReadDeviceIdentification(ctx, modbus.ReadDeviceIDCodeBasic); err != nil || string(id[VendorName]) != "Minato" {
		t.Errorf("basic device identification = %q, %v", id, err)
	}
	if id, err := c.ReadDeviceIdentification(ctx, modbus.ReadDeviceIDCodeRegular); err != nil || string(id[ProductName]) != "Simulated plant" {
		t.Errorf("regular device identification = %q, %v", id, err)
	}
	if _, err := c.WriteSingleRegister(ctx, 1, 1001); err == nil || plant.Values().Valve != 40 {
		t.Errorf("valve to 100.1 %%: %v, valve %v; want exception 4 and no change", err, plant.Values().Valve)
	}
	if _, err := c.ReadHoldingRegisters(ctx, 2, 1); err == nil {
		t.Error("reading a gap succeeded")
	}
}

func TestPipelining(t *testing.T) {
	c := dial(t, serve(t, NewServer(ServerConfig{Units: Units(New(Config{}))})))
	const n = 5000
	unit := func(i int) byte { return []byte{0, PlantUnit, 255}[i%3] }
	go func() { // ends when all is written; the deadline of dial bounds it
		var out []byte
		for i := range n {
			out = appendMBAP(out, uint16(i), unit(i))
			binary.BigEndian.PutUint16(out[len(out)-3:], 6)
			out = append(out, 3, 0, 100, 0, 1)
		}
		c.Write(out)
	}()
	answer := make([]byte, mbapSize+4)
	for i := range n {
		if _, err := io.ReadFull(c, answer); err != nil {
			t.Fatal(err)
		}
		if got := binary.BigEndian.Uint16(answer); got != uint16(i) || answer[6] != unit(i) {
			t.Fatalf("answer %d has transaction %d, unit %d", i, got, answer[6])
		}
	}
}

// TestBadFrames: the requests before a bad frame are answered, then the connection ends; another one is not disturbed.
func TestBadFrames(t *testing.T) {
	good := "0001 0000 0006 01 03 0064 0001"
	tests := []struct{ name, bad string }{
		{"protocol id", "0002 0001 0006 01 03 0000 0001"},
		{"length 0", "0002 0000 0000 01"},
		{"length 1", "0002 0000 0001 01"},
		{"length 255", "0002 0000 00FF 01"},
		{"length 65535", "0002 0000 FFFF 01"},
		{"TLS client hello", "16 03 01 02 00 01 00 01 FC 03 03"},
	}
	address := serve(t, NewServer(ServerConfig{Units: Units(New(Config{}))}))
	bystander := dial(t, address)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, address)
			if _, err := c.Write(append(unhex(t, good), unhex(t, tt.bad)...)); err != nil {
				t.Fatal(err)
			}
			want := unhex(t, "0001 0000 0005 01 03 02 0000")
			got := make([]byte, len(want))
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("answer before the bad frame = %x, %v; want %x", got, err, want)
			}
			if n, err := c.Read(got); err == nil {
				t.Errorf("%d bytes after a bad frame, want the end", n)
			}
			bystander.Write(unhex(t, good))
			if _, err := io.ReadFull(bystander, got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("bystander = %x, %v", got, err)
			}
		})
	}
}

// TestUnits: each unit has its own registers and identity, and behind the others nobody answers.
func TestUnits(t *testing.T) {
	plant := New(Config{Seed: 1})
	plant.SetPump(true)
	for range 150 { // half a minute: the tank is not full yet
		plant.Step()
	}
	address := serve(t, NewServer(ServerConfig{Units: Units(plant)}))
	ask := func(unit byte) modbus.Client { return clientOf(t, address, unit) }
	ctx := context.Background()
	v := plant.Values()
	for _, unit := range []byte{0, PlantUnit, 255} {
		if got, err := ask(unit).ReadInputRegisters(ctx, 0, 1); err != nil || binary.BigEndian.Uint16(got) != tenths(v.Level) {
			t.Errorf("unit %d: level % x, %v; want %v", unit, got, err, v.Level)
		}
	}
	meter := ask(MeterUnit)
	got, err := meter.ReadInputRegisters(ctx, 0, 5)
	if err != nil {
		t.Fatal(err)
	}
	volts, amperes := float64(binary.BigEndian.Uint16(got))/10, float64(binary.BigEndian.Uint16(got[2:]))/100
	watts, wattHours := float64(binary.BigEndian.Uint16(got[4:])), float64(binary.BigEndian.Uint32(got[6:]))
	if math.Abs(volts*amperes*0.85-watts) > 2 || watts < 380 || watts > 440 {
		t.Errorf("%v V, %v A, %v W with a power factor of 0.85", volts, amperes, watts)
	}
	if want := v.Volume / 3 * 410 / 3600; math.Abs(wattHours-want) > 1 {
		t.Errorf("%v Wh for %v l at 3 l/s and 410 W, want %v", wattHours, v.Volume, want)
	}
	if got, err := meter.ReadInputRegisters(ctx, 10, 2); err != nil || math.Abs(float64(math.Float32frombits(binary.BigEndian.Uint32(got)))-watts) > 0.5 {
		t.Errorf("power as float = % x, %v; want %v", got, err, watts)
	}
	if id, err := meter.ReadDeviceIdentification(ctx, modbus.ReadDeviceIDCodeRegular); err != nil || string(id[ProductName]) != "Simulated power meter" {
		t.Errorf("the meter's identification = %q, %v", id, err)
	}
	var refused *modbus.Error
	if _, err := ask(3).ReadCoils(ctx, 0, 1); !errors.As(err, &refused) || refused.ExceptionCode != byte(GatewayTargetFailedToRespond) {
		t.Errorf("unit 3: %v, want exception 11", err)
	}
}

func TestIdleTimeout(t *testing.T) {
	c := dial(t, serve(t, NewServer(ServerConfig{Units: Units(New(Config{})), IdleTimeout: time.Millisecond})))
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read = %v, want the end of an idle connection", err)
	}
}

// BenchmarkPipelined reads eight registers a request. The processor time is that of both ends.
func BenchmarkPipelined(b *testing.B) {
	c := dial(b, serve(b, NewServer(ServerConfig{Units: Units(New(Config{}))})))
	request := []byte{0, 1, 0, 0, 0, 6, 1, 4, 0, 0, 0, 8}
	const batch = 100
	out := bytes.Repeat(request, batch)
	in := make([]byte, batch*(mbapSize+2+16))
	before := processorTime(b)
	for b.Loop() {
		if _, err := c.Write(out); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, in); err != nil {
			b.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(time.Minute))
	}
	used := processorTime(b) - before
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64(b.N*batch)/used.Seconds(), "requests/cpu-s")
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
