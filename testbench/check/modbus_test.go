package check

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
)

// script answers each request of a Modbus client with the bytes that stand beside it; the transaction identifier is the request's.
// Requests and answers follow the examples of the Modbus Application Protocol 1.1b3, sections 6.3, 6.4 and 6.6.
func script(t *testing.T, exchanges ...[2]string) Dial {
	return serve(t, func(conn *net.TCPConn) {
		for _, x := range exchanges {
			want, answer := unhex(t, x[0]), unhex(t, x[1])
			got := make([]byte, 2+len(want))
			if _, err := io.ReadFull(conn, got); err != nil {
				t.Errorf("reading the request % x: %v", want, err)
				return
			}
			if !bytes.Equal(got[2:], want) {
				t.Errorf("request % x, want % x", got[2:], want)
				return
			}
			conn.Write(append(got[:2:2], answer...))
		}
		io.Copy(io.Discard, conn)
	})
}

func unhex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Error(err)
	}
	return b
}

func TestModbus(t *testing.T) {
	o := Options{Modbus: ModbusOptions{UnitID: 17, Address: 107, Quantity: 3, Write: true, WriteAddress: 1, WriteValue: 3}}
	dial := script(t,
		[2]string{"0000 0006 11 03 006b 0003", "0000 0009 11 03 06 022b 0000 0064"},
		[2]string{"0000 0006 11 04 006b 0003", "0000 0009 11 04 06 000a 0001 0002"},
		[2]string{"0000 0006 11 03 0001 0001", "0000 0005 11 03 02 0007"},
		[2]string{"0000 0006 11 06 0001 0003", "0000 0006 11 06 0001 0003"},
		[2]string{"0000 0006 11 03 0001 0001", "0000 0005 11 03 02 0003"},
		[2]string{"0000 0006 11 06 0001 0007", "0000 0006 11 06 0001 0007"}, // set back
	)
	passes(t, "modbus", dial, o, "holding 555 0 100; input 10 1 2; register 1 written and read back")
}

func TestModbusErrors(t *testing.T) {
	one := Options{Modbus: ModbusOptions{Quantity: 1, SkipInput: true}}
	const ask = "0000 0006 01 03 0000 0001"
	const step = "reading 1 holding registers from 0"
	fails(t, "modbus", script(t, [2]string{ask, "0000 0003 01 83 02"}), one, step, "exception 2, illegal data address", "register map")
	fails(t, "modbus", script(t, [2]string{ask, "0000 0003 01 83 0b"}), one, step, "exception 11, gateway target", "unit id")
	fails(t, "modbus", script(t, [2]string{ask, "0000 0003 01 83 63"}), one, step, "exception 99, unknown", "")
	fails(t, "modbus", script(t, [2]string{ask, "0000 0005 02 03 02 0001"}), one, step, "unit id", "")
	fails(t, "modbus", script(t, [2]string{ask, "0000 ffff 01 03 02 0001"}), one, step, "length in response header", "")

	write := Options{Modbus: ModbusOptions{SkipInput: true, SkipHolding: true, Write: true, WriteAddress: 0, WriteValue: 5}}
	fails(t, "modbus", script(t,
		[2]string{ask, "0000 0005 01 03 02 0007"},
		[2]string{"0000 0006 01 06 0000 0005", "0000 0006 01 06 0000 0005"},
		[2]string{ask, "0000 0005 01 03 02 0007"}, // it did not take it
		[2]string{"0000 0006 01 06 0000 0007", "0000 0006 01 06 0000 0007"},
	), write, "reading holding register 0 back", "it holds 7, and 5 was written", "")
}

// The library asks a context only while it dials; ours ends a request too.
func TestDialModbusEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	asked := make(chan struct{})
	dial := serve(t, func(conn *net.TCPConn) {
		io.ReadFull(conn, make([]byte, 12))
		close(asked)
		io.Copy(io.Discard, conn)
	})
	client, err := DialModbus(ctx, dial, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	go func() { <-asked; cancel() }()
	if _, err := client.ReadHoldingRegisters(ctx, 0, 1); err == nil {
		t.Error("no error")
	}
}
