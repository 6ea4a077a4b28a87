package plc

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSpecificationExamples holds the requests and answers printed in sections 6.1 to 6.21 of the Modbus Application Protocol
// Specification 1.1b3, over a memory that holds what the examples presume.
func TestSpecificationExamples(t *testing.T) {
	tests := []struct{ name, request, response string }{
		{"read coils 20-38", "01 0013 0013", "01 03 CD6B05"},
		{"read discrete inputs 197-218", "02 00C4 0016", "02 03 ACDB35"},
		{"read holding registers 108-110", "03 006B 0003", "03 06 022B 0000 0064"},
		{"read input register 9", "04 0008 0001", "04 02 000A"},
		{"write coil 173 on", "05 00AC FF00", "05 00AC FF00"},
		{"write register 2", "06 0001 0003", "06 0001 0003"},
		{"write coils 20-29", "0F 0013 000A 02 CD01", "0F 0013 000A"},
		{"write registers 2-3", "10 0001 0002 04 000A 0102", "10 0001 0002"},
		{"mask write register 5", "16 0004 00F2 0025", "16 0004 00F2 0025"},
		{"read and write registers", "17 0003 0006 000E 0003 06 00FF 00FF 00FF", "17 0C 00FE 0ACD 0001 0003 000D 00FF"},
		{"read FIFO queue 1246", "18 04DE", "18 0006 0002 01B8 1284"},
		{"read device identification", "2B 0E 01 00", "2B 0E 01 82 00 00 03" +
			"00 16" + hex.EncodeToString([]byte("Company identification")) +
			"01 0F" + hex.EncodeToString([]byte("Product code XX")) +
			"02 05" + hex.EncodeToString([]byte("V2.11"))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMemory()
			m.setBits(Coils, 0x13, 0xcd, 0x6b, 0x05)
			m.setBits(DiscreteInputs, 0xc4, 0xac, 0xdb, 0x35)
			m.setRegs(HoldingRegisters, 0x6b, 0x022b, 0, 0x64)
			m.setRegs(InputRegisters, 8, 0x0a)
			m.setRegs(HoldingRegisters, 3, 0x00fe, 0x0acd, 1, 3, 0x0d, 0xff)
			if strings.HasPrefix(tt.request, "16") {
				m.setRegs(HoldingRegisters, 4, 0x12)
			}
			m.fifo[0x04de] = []uint16{0x01b8, 0x1284}
			e := Engine{Unit: Unit{m, Identity{"Company identification", "Product code XX", "V2.11"}}}
			got := e.Respond(nil, unhex(t, tt.request))
			if diff := cmp.Diff(unhex(t, tt.response), got); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
			if strings.HasPrefix(tt.request, "16") && m.regs[HoldingRegisters][4] != 0x17 {
				t.Errorf("masked register = %#x, want 0x17 as in section 6.16", m.regs[HoldingRegisters][4])
			}
		})
	}
}

func TestExceptions(t *testing.T) {
	tests := []struct {
		name, request string
		fail          error
		response      string
	}{
		{"no such function", "07", nil, "87 01"},
		{"function 0", "00", nil, "80 01"},
		{"function with the exception bit", "83 0000 0001", nil, "83 01"},
		{"other MEI type", "2B 0D 00", nil, "AB 01"},
		{"no MEI type", "2B", nil, "AB 01"},
		{"gap in the coils", "01 7000 0001", nil, "81 02"},
		{"past address 65535", "03 FFFF 0002", nil, "83 02"},
		{"quantity 0", "03 0000 0000", nil, "83 03"},
		{"quantity 126", "03 0000 007E", nil, "83 03"},
		{"quantity is judged before addresses", "03 7000 007E", nil, "83 03"},
		{"quantity 2001 bits", "01 0000 07D1", nil, "81 03"},
		{"coil value 1", "05 0000 0001", nil, "85 03"},
		{"byte count of coils", "0F 0000 0009 01 FF", nil, "8F 03"},
		{"byte count of registers", "10 0000 0002 02 0001", nil, "90 03"},
		{"missing values", "10 0000 0002 04 0001", nil, "90 03"},
		{"surplus byte", "03 0000 0001 00", nil, "83 03"},
		{"short request", "03 0000", nil, "83 03"},
		{"exchange with a gap writes nothing", "17 7000 0001 0000 0001 02 0001", nil, "97 02"},
		{"no such queue", "18 0000", nil, "98 02"},
		{"queue too long", "18 0001", nil, "98 03"},
		{"device id code 5", "2B 0E 05 00", nil, "AB 03"},
		{"no such object", "2B 0E 04 7F", nil, "AB 02"},
		{"device fails", "03 0000 0001", errors.New("on fire"), "83 04"},
		{"device names the exception", "03 0000 0001", IllegalDataValue, "83 03"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMemory()
			m.setRegs(HoldingRegisters, 0, 1)
			m.fifo[1] = make([]uint16, 32)
			m.fail = tt.fail
			e := Engine{Unit: Unit{Bank: m}}
			if diff := cmp.Diff(unhex(t, tt.response), e.Respond(nil, unhex(t, tt.request))); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
			if got := m.regs[HoldingRegisters]; len(got) != 1 || got[0] != 1 {
				t.Errorf("a refused request changed the registers: %v", got)
			}
		})
	}
}

// TestDeviceIdentificationContinues walks an identity that needs several responses.
func TestDeviceIdentificationContinues(t *testing.T) {
	var want Identity
	for i := range want {
		want[i] = strings.Repeat(string(rune('a'+i)), 100)
	}
	e := Engine{Unit: Unit{newMemory(), want}}
	var got Identity
	next := byte(0)
	for range len(want) {
		r := e.Respond(nil, []byte{43, 14, regularStream, next})
		if len(r) > maxPDU {
			t.Fatalf("response of %d bytes, want at most %d", len(r), maxPDU)
		}
		for objects := r[7:]; len(objects) > 0; objects = objects[2+objects[1]:] {
			got[objects[0]] = string(objects[2:][:objects[1]])
		}
		if r[4] == 0 {
			break
		}
		next = r[5]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

func FuzzPDU(f *testing.F) {
	for _, s := range []string{"0100130013", "0F0013000A02CD01", "17000300060000000306 00FF00FF00FF", "2B0E0100", "18012C", "160064F2F22525"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		if len(request) == 0 || len(request) > maxPDU {
			return
		}
		e := Engine{Unit: Unit{newPlantBank(New(Config{}), Registers), Identity{"v", "p", "1"}}}
		r := e.Respond([]byte{0xaa}, request)
		if r[0] != 0xaa {
			t.Fatal("the response overwrote what stood before it")
		}
		r = r[1:]
		if len(r) < 2 || len(r) > maxPDU {
			t.Fatalf("response of %d bytes", len(r))
		}
		if r[0]&^exceptionBit != request[0]&^exceptionBit {
			t.Fatalf("function code %d answers %d", r[0], request[0])
		}
	})
}

func FuzzMBAP(f *testing.F) {
	f.Add(unhex(f, "15010000000600"))
	f.Add(unhex(f, "00000001000600"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseMBAP(b)
		if err != nil {
			return
		}
		if n := h.pduLength(); n < 1 || n > maxPDU {
			t.Fatalf("PDU length %d", n)
		}
		out := appendMBAP(nil, h.TransactionID, h.UnitID)
		out = append(out, make([]byte, h.pduLength())...)
		setMBAPLength(out)
		if diff := cmp.Diff(b[:mbapSize], out[:mbapSize]); diff != "" {
			t.Fatalf("round trip (-want +got):\n%s", diff)
		}
	})
}
