package report

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// protocol of one direction, known by its first bytes.
type protocol string

const (
	protoUnknown protocol = "unknown"
	protoTLS     protocol = "TLS"
	protoSSH     protocol = "SSH"
	protoHTTP    protocol = "HTTP"
	protoRFB     protocol = "RFB"
	protoX224    protocol = "X.224"
	protoModbus  protocol = "Modbus"
)

var httpMethods = []string{"GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "HTTP/1."}

func guessProtocol(b []byte) protocol {
	switch {
	case len(b) >= 3 && b[0] >= 20 && b[0] <= 23 && b[1] == 3 && b[2] <= 4:
		return protoTLS
	case bytes.HasPrefix(b, []byte("SSH-")):
		return protoSSH
	case bytes.HasPrefix(b, []byte("RFB ")):
		return protoRFB
	case len(b) >= 7 && b[0] == 3 && b[1] == 0 && (b[5]&0xf0 == 0xe0 || b[5]&0xf0 == 0xd0):
		return protoX224
	case isModbus(b):
		return protoModbus
	}
	for _, method := range httpMethods {
		if bytes.HasPrefix(b, []byte(method)) {
			return protoHTTP
		}
	}
	return protoUnknown
}

// httpLine is the request or status line of a piece that begins with one.
func httpLine(b []byte) (string, bool) {
	for _, method := range httpMethods {
		if bytes.HasPrefix(b, []byte(method)) {
			line, _, _ := bytes.Cut(b[:min(len(b), 200)], []byte("\r\n"))
			return printable(line), true
		}
	}
	return "", false
}

func x224Label(b []byte) string {
	if len(b) >= 6 && b[0] == 3 {
		switch b[5] & 0xf0 {
		case 0xe0:
			return "X.224 connection request"
		case 0xd0:
			return "X.224 connection confirm"
		}
	}
	return "RDP data"
}

// isModbus: MBAP with protocol identifier 0 and the length of what follows.
func isModbus(b []byte) bool {
	return len(b) >= 8 && b[2] == 0 && b[3] == 0 && b[7] != 0 && int(binary.BigEndian.Uint16(b[4:]))+6 == len(b)
}

var modbusFunctions = map[byte]string{
	1: "read coils", 2: "read discrete inputs", 3: "read holding registers", 4: "read input registers", 5: "write single coil",
	6: "write single register", 15: "write multiple coils", 16: "write multiple registers", 22: "mask write register",
	23: "read/write registers", 24: "read FIFO queue", 43: "read device identification",
}

func modbusLabel(b []byte) string {
	if !isModbus(b) {
		return "Modbus data"
	}
	name := modbusFunctions[b[7]&0x7f]
	if name == "" {
		name = fmt.Sprintf("function %d", b[7]&0x7f)
	}
	if b[7]&0x80 != 0 && len(b) > 8 {
		return fmt.Sprintf("Modbus exception %d (%s)", b[8], name)
	}
	return "Modbus " + name
}

// printable keeps ASCII; what else came shows as a dot.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, strings.TrimRight(string(b[:min(len(b), 100)]), "\r\n"))
}
