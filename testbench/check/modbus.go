package check

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/grid-x/modbus"
)

// ModbusOptions of "modbus": reads both tables of registers; with Write also writes a register, reads it back and restores it.
type ModbusOptions struct {
	UnitID                   byte   // 0: 1
	Address                  uint16 // of the first register read
	Quantity                 uint16 // of registers read from each table; 0: 1, at most 125
	SkipInput, SkipHolding   bool   // tables that the device does not have
	Write                    bool   // also write WriteValue to holding register WriteAddress
	WriteAddress, WriteValue uint16
}

// Modbus reads registers, and writes one where asked to.
func Modbus(ctx context.Context, dial Dial, o Options) (Result, error) {
	return run(ctx, "modbus", o, func(ctx context.Context, r *recorder) error {
		opts := o.Modbus
		if opts.Quantity == 0 {
			opts.Quantity = 1
		}
		r.begin(stepDial)
		client, err := DialModbus(ctx, dial, opts.UnitID)
		if err != nil {
			return err
		}
		defer client.Close()
		r.logf("connected")
		var found []string
		read := func(table string, fn func(context.Context, uint16, uint16) ([]byte, error)) error {
			r.begin(fmt.Sprintf("reading %d %s registers from %d", opts.Quantity, table, opts.Address))
			b, err := fn(ctx, opts.Address, opts.Quantity)
			if err != nil {
				return explainModbus(err)
			}
			if len(b) != 2*int(opts.Quantity) {
				return fmt.Errorf("%d bytes came, and %d are wanted", len(b), 2*opts.Quantity)
			}
			r.logf("%s registers from %d: %s", table, opts.Address, registers(b))
			found = append(found, fmt.Sprintf("%s %s", table, registers(clip(b, 8))))
			return nil
		}
		if !opts.SkipHolding {
			if err := read("holding", client.ReadHoldingRegisters); err != nil {
				return err
			}
		}
		if !opts.SkipInput {
			if err := read("input", client.ReadInputRegisters); err != nil {
				return err
			}
		}
		if opts.Write {
			if err := writeBack(ctx, r, client, opts.WriteAddress, opts.WriteValue); err != nil {
				return err
			}
			found = append(found, fmt.Sprintf("register %d written and read back", opts.WriteAddress))
		}
		r.summaryf("%s", strings.Join(found, "; "))
		return nil
	})
}

// writeBack leaves the register as it was, since a check must not change a plant.
func writeBack(ctx context.Context, r *recorder, client *ModbusClient, address, value uint16) (err error) {
	r.begin(fmt.Sprintf("reading holding register %d before writing", address))
	before, err := readRegister(ctx, client, address)
	if err != nil {
		return err
	}
	r.begin(fmt.Sprintf("writing %d to holding register %d", value, address))
	defer func() {
		if err == nil {
			r.begin(fmt.Sprintf("restoring holding register %d", address))
		}
		if _, restoreErr := client.WriteSingleRegister(ctx, address, before); restoreErr != nil {
			r.logf("register %d could not be set back to %d: %v", address, before, restoreErr)
			if err == nil {
				err = explainModbus(restoreErr)
			}
		}
	}()
	if _, err := client.WriteSingleRegister(ctx, address, value); err != nil {
		return explainModbus(err)
	}
	r.begin(fmt.Sprintf("reading holding register %d back", address))
	after, err := readRegister(ctx, client, address)
	if err != nil {
		return err
	}
	r.logf("register %d: %d, written %d, read %d", address, before, value, after)
	if after != value {
		return fmt.Errorf("it holds %d, and %d was written", after, value)
	}
	return nil
}

func readRegister(ctx context.Context, client *ModbusClient, address uint16) (uint16, error) {
	b, err := client.ReadHoldingRegisters(ctx, address, 1)
	if err != nil {
		return 0, explainModbus(err)
	}
	if len(b) != 2 {
		return 0, fmt.Errorf("%d bytes came, and 2 are wanted", len(b))
	}
	return binary.BigEndian.Uint16(b), nil
}

// ModbusClient is grid-x/modbus's client over connections of ours. After a failed request it dials again by itself. Close it.
type ModbusClient struct {
	modbus.Client
	handler *modbus.TCPClientHandler
}

// modbusRequestTimeout bounds one request; ctx may end sooner.
const modbusRequestTimeout = 10 * time.Second

// DialModbus connects and makes a client. Its connections end with ctx.
func DialModbus(ctx context.Context, dial Dial, unitID byte) (*ModbusClient, error) {
	handler := modbus.NewTCPClientHandler("device", modbus.WithDialer(func(dialCtx context.Context, _, _ string) (net.Conn, error) {
		conn, err := dial(dialCtx)
		if err != nil {
			return nil, err
		}
		return bindConn(ctx, conn), nil // the library asks the context of a request only while it dials
	}))
	handler.Timeout = modbusRequestTimeout
	handler.IdleTimeout = -1 // no timer that outlives us
	// No recovery: the library would send the request again on a new connection and hide the fault that a check is there to find.
	handler.LinkRecoveryTimeout, handler.ProtocolRecoveryTimeout = 0, 0
	if unitID == 0 {
		unitID = 1
	}
	handler.SetSlave(unitID)
	if err := handler.Connect(ctx); err != nil {
		return nil, err
	}
	return &ModbusClient{modbus.NewClient(handler), handler}, nil
}

// Close ends the connection.
func (c *ModbusClient) Close() error { return c.handler.Close() }

// modbusExceptions are those of the Modbus Application Protocol 1.1b3, section 7.
var modbusExceptions = map[byte]string{
	1: "illegal function", 2: "illegal data address", 3: "illegal data value", 4: "server device failure", 5: "acknowledge",
	6: "server device busy", 8: "memory parity error", 10: "gateway path unavailable", 11: "gateway target failed to respond",
}

func explainModbus(err error) error {
	var exception *modbus.Error
	if !errors.As(err, &exception) {
		return err
	}
	cure := ""
	switch exception.ExceptionCode {
	case 1:
		cure = "the device does not have this table or function: skip it"
	case 2:
		cure = "the device has no register at this address: see its register map (addresses begin at 0 here, in many manuals at 1 or 40001)"
	case 10, 11:
		cure = "the gateway is reached, but not the device behind it: check the unit id"
	}
	return &hinted{&modbusError{exception}, cure}
}

// modbusError says an exception once; the library's own words are in Unwrap.
type modbusError struct{ exception *modbus.Error }

func (e *modbusError) Error() string {
	return fmt.Sprintf("the device answers exception %d, %s", e.exception.ExceptionCode, or(modbusExceptions[e.exception.ExceptionCode], "unknown"))
}

func (e *modbusError) Unwrap() error { return e.exception }

func registers(b []byte) string {
	var values []string
	for ; len(b) >= 2; b = b[2:] {
		values = append(values, fmt.Sprint(binary.BigEndian.Uint16(b)))
	}
	return strings.Join(values, " ")
}
