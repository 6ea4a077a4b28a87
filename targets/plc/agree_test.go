package plc

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gridx "github.com/grid-x/modbus"
	"github.com/simonvetter/modbus"
)

// modbusClient is the function codes that all three clients have: 1 to 6, 15 and 16. Bits are 0 and 1.
type modbusClient interface {
	read(t Table, address, quantity uint16) ([]uint16, error)
	write(t Table, address uint16, values []uint16) error // one value: functions 5 and 6
}

// TestClientsAgree: what one of grid-x, simonvetter and mbpoll writes the others read, with each function code that they share.
func TestClientsAgree(t *testing.T) {
	plant := New(Config{Seed: 1})
	for range 300 {
		plant.Step()
	}
	address := serve(t, NewServer(ServerConfig{Units: Units(plant)}))
	clients := map[string]modbusClient{
		"grid-x":      gridxClient{client(t, address)},
		"simonvetter": simonvetter(t, address),
		"mbpoll":      newMbpoll(t, address),
	}
	agree := func(what string, table Table, at uint16, want []uint16) {
		t.Helper()
		for name, c := range clients {
			if got, err := c.read(table, at, uint16(len(want))); err != nil || !cmp.Equal(got, want) {
				t.Errorf("%s reads %s as %v, %v; want %v", name, what, got, err, want)
			}
		}
	}
	v := plant.Values()
	agree("the level and the temperature (4)", InputRegisters, 0, []uint16{tenths(v.Level), tenths(v.Temperature)})
	agree("the valve's sign (2)", DiscreteInputs, 1, []uint16{1})
	next := uint16(1)
	for name, c := range clients {
		if err := c.write(HoldingRegisters, 101, []uint16{next}); err != nil {
			t.Errorf("%s, function 6: %v", name, err)
		}
		agree("what "+name+" wrote (6, 3)", HoldingRegisters, 101, []uint16{next})
		several := []uint16{next, 0xffff - next, 0x8000, 0}
		if err := c.write(HoldingRegisters, 110, several); err != nil {
			t.Errorf("%s, function 16: %v", name, err)
		}
		agree("what "+name+" wrote (16, 3)", HoldingRegisters, 110, several)
		for _, pump := range []uint16{1, 0} {
			if err := c.write(Coils, 0, []uint16{pump}); err != nil {
				t.Errorf("%s, function 5: %v", name, err)
			}
			agree("the coil that "+name+" wrote (5, 1)", Coils, 0, []uint16{pump, 0})
		}
		if err := c.write(Coils, 0, []uint16{1, 1}); err != nil {
			t.Errorf("%s, function 15: %v", name, err)
		}
		agree("the coils that "+name+" wrote (15, 1)", Coils, 0, []uint16{1, 1})
		if err := c.write(HoldingRegisters, 1, []uint16{1001}); err == nil {
			t.Errorf("%s: a valve at 100.1 %% was taken", name)
		}
		if _, err := c.read(HoldingRegisters, 2, 1); err == nil {
			t.Errorf("%s: a gap was read", name)
		}
		next++
	}
}

type gridxClient struct{ gridx.Client }

func (c gridxClient) read(t Table, address, quantity uint16) ([]uint16, error) {
	ctx := context.Background()
	switch t {
	case Coils:
		b, err := c.ReadCoils(ctx, address, quantity)
		return unpackBits(b, quantity), err
	case DiscreteInputs:
		b, err := c.ReadDiscreteInputs(ctx, address, quantity)
		return unpackBits(b, quantity), err
	case InputRegisters:
		b, err := c.ReadInputRegisters(ctx, address, quantity)
		return unpackWords(b), err
	}
	b, err := c.ReadHoldingRegisters(ctx, address, quantity)
	return unpackWords(b), err
}

func (c gridxClient) write(t Table, address uint16, values []uint16) error {
	ctx := context.Background()
	var err error
	switch {
	case t == Coils && len(values) == 1:
		_, err = c.WriteSingleCoil(ctx, address, values[0]*coilOn)
	case t == Coils:
		bits := []byte{0}
		for i, v := range values {
			bits[0] |= byte(v << i)
		}
		_, err = c.WriteMultipleCoils(ctx, address, uint16(len(values)), bits)
	case len(values) == 1:
		_, err = c.WriteSingleRegister(ctx, address, values[0])
	default:
		_, err = c.WriteMultipleRegisters(ctx, address, uint16(len(values)), appendWords(nil, values))
	}
	return err
}

func unpackBits(b []byte, n uint16) (out []uint16) {
	for i := range int(min(n, uint16(8*len(b)))) {
		out = append(out, uint16(b[i/8]>>(i%8)&1))
	}
	return out
}

func unpackWords(b []byte) (out []uint16) {
	for ; len(b) >= 2; b = b[2:] {
		out = append(out, binary.BigEndian.Uint16(b))
	}
	return out
}

type simonvetterClient struct{ *modbus.ModbusClient }

func simonvetter(t *testing.T, address string) modbusClient {
	t.Helper()
	c, err := modbus.NewClient(&modbus.ClientConfiguration{URL: "tcp://" + address, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return simonvetterClient{c}
}

func (c simonvetterClient) read(t Table, address, quantity uint16) ([]uint16, error) {
	switch t {
	case Coils:
		b, err := c.ReadCoils(address, quantity)
		return fromBools(b), err
	case DiscreteInputs:
		b, err := c.ReadDiscreteInputs(address, quantity)
		return fromBools(b), err
	case InputRegisters:
		return c.ReadRegisters(address, quantity, modbus.INPUT_REGISTER)
	}
	return c.ReadRegisters(address, quantity, modbus.HOLDING_REGISTER)
}

func (c simonvetterClient) write(t Table, address uint16, values []uint16) error {
	switch {
	case t == Coils && len(values) == 1:
		return c.WriteCoil(address, values[0] == 1)
	case t == Coils:
		var bits []bool
		for _, v := range values {
			bits = append(bits, v == 1)
		}
		return c.WriteCoils(address, bits)
	case len(values) == 1:
		return c.WriteRegister(address, values[0])
	}
	return c.WriteRegisters(address, values)
}

func fromBools(bits []bool) (out []uint16) {
	for _, on := range bits {
		v := uint16(0)
		if on {
			v = 1
		}
		out = append(out, v)
	}
	return out
}

// mbpoll is the program of that name. It counts from 1.
type mbpoll struct{ path, host, port string }

func newMbpoll(t *testing.T, address string) modbusClient {
	t.Helper()
	path, err := exec.LookPath("mbpoll")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("mbpoll is not installed: apt-get install mbpoll")
	}
	if err != nil {
		t.Fatal("mbpoll is not installed: apt-get install mbpoll")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return mbpoll{path, host, port}
}

var mbpollTables = map[Table]string{Coils: "0", DiscreteInputs: "1", InputRegisters: "3", HoldingRegisters: "4"}

func (m mbpoll) run(t Table, address uint16, options []string, values []uint16) (string, error) {
	args := append([]string{"-m", "tcp", "-p", m.port, "-a", "1", "-o", "10", "-q", "-t", mbpollTables[t], "-r", fmt.Sprint(address + 1)}, options...)
	args = append(args, m.host)
	for _, v := range values {
		args = append(args, fmt.Sprint(v))
	}
	out, err := exec.Command(m.path, args...).CombinedOutput()
	if err == nil && strings.Contains(string(out), "failed") { // it says so, and exits with 0
		err = fmt.Errorf("mbpoll: %q", out)
	}
	return string(out), err
}

var mbpollLine = regexp.MustCompile(`(?m)^\[\d+\]:\s+(\d+)`)

func (m mbpoll) read(t Table, address, quantity uint16) ([]uint16, error) {
	out, err := m.run(t, address, []string{"-1", "-c", fmt.Sprint(quantity)}, nil)
	if err != nil {
		return nil, err
	}
	var values []uint16
	for _, line := range mbpollLine.FindAllStringSubmatch(out, -1) {
		v, err := strconv.ParseUint(line[1], 10, 16)
		if err != nil {
			return nil, err
		}
		values = append(values, uint16(v))
	}
	return values, nil
}

func (m mbpoll) write(t Table, address uint16, values []uint16) error {
	_, err := m.run(t, address, nil, values)
	return err
}
