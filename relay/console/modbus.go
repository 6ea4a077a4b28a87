package console

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/grid-x/modbus"
)

// modbusTimeout bounds one request on a slow radio link.
const modbusTimeout = 15 * time.Second

// modbusRequest is a message of the browser. One connection carries them one after the other, so that a table that is read every second is one
// connection in the audit log.
type modbusRequest struct {
	ID       int      `json:"id"` // of the answer
	Unit     byte     `json:"unit"`
	Table    string   `json:"table"`    // a key of modbusTables
	Address  uint16   `json:"address"`  // from 0, as on the wire
	Quantity uint16   `json:"quantity"` // to read
	Values   []uint16 `json:"values"`   // to write in place of reading; coils are 0 or 1
}

// modbusAnswer has either values, or why there are none.
type modbusAnswer struct {
	ID        int      `json:"id"`
	Values    []uint16 `json:"values,omitempty"`
	Exception byte     `json:"exception,omitempty"` // of the Modbus Application Protocol, section 7
	Error     string   `json:"error,omitempty"`
}

// modbusTable is one of the four tables of a Modbus server (Modbus Application Protocol 1.1b3 section 4.3).
type modbusTable struct {
	bits  bool
	read  func(modbus.Client, context.Context, uint16, uint16) ([]byte, error)
	write func(modbus.Client, context.Context, uint16, uint16, []byte) ([]byte, error) // nil: read only
}

var modbusTables = map[string]modbusTable{
	"coils":    {true, modbus.Client.ReadCoils, modbus.Client.WriteMultipleCoils},
	"discrete": {true, modbus.Client.ReadDiscreteInputs, nil},
	"holding":  {false, modbus.Client.ReadHoldingRegisters, modbus.Client.WriteMultipleRegisters},
	"input":    {false, modbus.Client.ReadInputRegisters, nil},
}

// serveModbus reads and writes registers for the browser: JSON requests, each with one answer.
func (c *Console) serveModbus(ctx context.Context, s *socket) error {
	device, err := c.dial(ctx, s)
	if err != nil {
		return err
	}
	defer device.Close()
	dialled := false
	handler := modbus.NewTCPClientHandler(s.mapping.String(), modbus.WithDialer(func(context.Context, string, string) (net.Conn, error) {
		if dialled {
			return nil, net.ErrClosed // the browser asks for another connection
		}
		dialled = true
		return device, nil
	}))
	handler.Timeout = modbusTimeout
	handler.IdleTimeout = -1                                            // no timer that outlives this
	handler.LinkRecoveryTimeout, handler.ProtocolRecoveryTimeout = 0, 0 // a write is never sent twice
	defer handler.Close()
	client := modbus.NewClient(handler)
	for {
		var request modbusRequest
		if err := s.hear(ctx, &request); err != nil {
			return err
		}
		handler.SetSlave(request.Unit)
		answer, broken := request.run(ctx, client)
		if err := s.tell(ctx, "answer", answer); err != nil || broken {
			return err
		}
	}
}

// run does a request. Broken: the connection is of no more use.
func (q *modbusRequest) run(ctx context.Context, client modbus.Client) (a modbusAnswer, broken bool) {
	a.ID = q.ID
	table, ok := modbusTables[q.Table]
	if !ok || q.Values != nil && table.write == nil {
		a.Error = fmt.Sprintf("table %q cannot be used so", q.Table)
		return a, false
	}
	var err error
	if q.Values != nil {
		err = q.write(ctx, client, table)
		a.Values = q.Values
	} else {
		var b []byte
		b, err = table.read(client, ctx, q.Address, q.Quantity)
		a.Values = table.decode(b, int(q.Quantity))
	}
	var exception *modbus.Error
	switch {
	case errors.As(err, &exception):
		a.Values, a.Exception = nil, exception.ExceptionCode
	case err != nil:
		a.Values, a.Error = nil, err.Error()
		var network net.Error
		broken = errors.As(err, &network)
		for _, closed := range []error{net.ErrClosed, io.ErrClosedPipe, io.EOF} {
			broken = broken || errors.Is(err, closed)
		}
	}
	return a, broken
}

// write writes the values; a single one by the function that every device has (codes 5 and 6).
func (q *modbusRequest) write(ctx context.Context, client modbus.Client, table modbusTable) (err error) {
	switch {
	case len(q.Values) == 1 && !table.bits:
		_, err = client.WriteSingleRegister(ctx, q.Address, q.Values[0])
	case len(q.Values) == 1 && q.Values[0] != 0:
		_, err = client.WriteSingleCoil(ctx, q.Address, 0xFF00)
	case len(q.Values) == 1:
		_, err = client.WriteSingleCoil(ctx, q.Address, 0)
	default:
		_, err = table.write(client, ctx, q.Address, uint16(len(q.Values)), table.encode(q.Values))
	}
	return err
}

// encode packs values as a request carries them: registers big-endian, coils from the least bit on.
func (t modbusTable) encode(values []uint16) []byte {
	if !t.bits {
		b := make([]byte, 0, 2*len(values))
		for _, v := range values {
			b = binary.BigEndian.AppendUint16(b, v)
		}
		return b
	}
	b := make([]byte, (len(values)+7)/8)
	for i, v := range values {
		if v != 0 {
			b[i/8] |= 1 << (i % 8)
		}
	}
	return b
}

// decode is encode's inverse, for n values or as many as there are.
func (t modbusTable) decode(b []byte, n int) []uint16 {
	values := []uint16{}
	for i := range n {
		switch {
		case t.bits && i/8 < len(b):
			values = append(values, uint16(b[i/8]>>(i%8)&1))
		case !t.bits && 2*i+1 < len(b):
			values = append(values, binary.BigEndian.Uint16(b[2*i:]))
		}
	}
	return values
}
