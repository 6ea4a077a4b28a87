package field

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"

	"minato/testbench/check"
)

// Protocol is a service of a device as this check speaks to it.
type Protocol struct {
	Name string
	Port int  // usual one of the device
	TLS  bool // the option that fits: ON for what speaks plaintext
	Wrap bool // the device speaks TLS itself: the client wraps the connection before it speaks

	// exchange asks the least that the protocol allows and reads one answer: who speaks first is the protocol's own. mark is called when the question
	// goes out, so that what comes until the end is one round trip to the device. said is the answer in a few words.
	exchange func(c io.Writer, in *bufio.Reader, mark func()) (said string, err error)
	again    bool // more exchanges may follow on the same connection

	// large moves packets of full size, where it can without a password; nil: the protocol has nothing large to ask.
	large func(o *check.Options) (name string)

	// mistake is what a client does that took the wrong option: it speaks without TLS to a mapping with the option ON. "": it waits for the device.
	mistake []byte
	codes   []string // how the relay names that mistake
}

// Protocols are all that can be checked, in the order of a report.
var Protocols = []Protocol{
	{Name: "vnc", Port: 5900, TLS: true, exchange: exchangeRFB, codes: []string{"R06"}},
	{Name: "modbus", Port: 502, TLS: true, exchange: exchangeModbus, again: true, mistake: modbusRequest, codes: []string{"R04"},
		large: func(o *check.Options) string { o.Modbus.Quantity, o.Modbus.SkipInput = 125, true; return "modbus" }},
	{Name: "http", Port: 80, TLS: true, exchange: exchangeHTTP, again: true, mistake: []byte(headRequest), codes: []string{"R03"}, large: largePage},
	{Name: "https", Port: 443, Wrap: true, exchange: exchangeHTTP, again: true, large: largePage},
	{Name: "ssh", Port: 22, exchange: exchangeSSH, mistake: []byte(sshVersion), codes: []string{"R01"},
		large: func(*check.Options) string { return "ssh" }}, // the key exchange
	{Name: "rdp", Port: 3389, exchange: exchangeRDP, mistake: check.RDPConnectionRequest(""), codes: []string{"R02"}},
}

// exchangeRFB answers the server's version and reads its security types, RFC 6143 sections 7.1.1 and 7.1.2.
func exchangeRFB(c io.Writer, in *bufio.Reader, mark func()) (string, error) {
	version, err := in.Peek(12)
	if err != nil {
		return "", err
	}
	if !bytes.HasPrefix(version, []byte("RFB ")) {
		return "", wrongProtocol("VNC", version)
	}
	in.Discard(12)
	said := strings.TrimSpace(string(version))
	mark()
	if _, err := c.Write(append([]byte(said), '\n')); err != nil {
		return "", err
	}
	if said < "RFB 003.007" { // 3.3: the server decides, with one word
		var kind uint32
		if err := binary.Read(in, binary.BigEndian, &kind); err != nil {
			return "", err
		}
		return said + ", security type " + securityTypes[byte(kind)], nil
	}
	n, err := in.ReadByte()
	if err != nil {
		return "", err
	}
	if n == 0 {
		return said + ", and it refuses every client: see its own log", nil
	}
	types := make([]byte, n)
	if _, err := io.ReadFull(in, types); err != nil {
		return "", err
	}
	var names []string
	for _, t := range types {
		name := securityTypes[t]
		if name == "" {
			name = fmt.Sprint(t)
		}
		names = append(names, name)
	}
	return said + ", security " + strings.Join(names, ", "), nil
}

var securityTypes = map[byte]string{1: "None", 2: "VNC password", 16: "Tight", 18: "TLS", 19: "VeNCrypt"}

// modbusRequest reads one holding register of unit 1: MBAP header, function 3, address 0, quantity 1.
var modbusRequest = []byte{0x4d, 0x49, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1}

func exchangeModbus(c io.Writer, in *bufio.Reader, mark func()) (string, error) {
	mark()
	if _, err := c.Write(modbusRequest); err != nil {
		return "", err
	}
	head, err := in.Peek(7)
	if err != nil {
		return "", err
	}
	length := int(binary.BigEndian.Uint16(head[4:]))
	if !bytes.Equal(head[:4], modbusRequest[:4]) || length < 3 || length > 254 {
		return "", wrongProtocol("Modbus/TCP", head)
	}
	adu := make([]byte, 6+length)
	if _, err := io.ReadFull(in, adu); err != nil {
		return "", err
	}
	switch function := adu[7]; {
	case function == 0x83:
		return fmt.Sprintf("holding register 0 of unit 1: exception %d", adu[8]), nil
	case function == 3 && length == 5:
		return fmt.Sprintf("holding register 0 of unit 1 is %d", binary.BigEndian.Uint16(adu[9:])), nil
	}
	return "", wrongProtocol("Modbus/TCP", adu)
}

const headRequest = "HEAD / HTTP/1.1\r\nHost: device\r\nUser-Agent: minato-testbench\r\n\r\n"

func exchangeHTTP(c io.Writer, in *bufio.Reader, mark func()) (string, error) {
	mark()
	if _, err := io.WriteString(c, headRequest); err != nil {
		return "", err
	}
	head, err := in.Peek(5)
	if err != nil {
		return "", err
	}
	if string(head) != "HTTP/" {
		return "", wrongProtocol("HTTP", head)
	}
	resp, err := http.ReadResponse(in, &http.Request{Method: http.MethodHead})
	if err != nil {
		return "", err
	}
	if resp.StatusCode == http.StatusBadRequest { // what a server says that wants TLS, among other complaints
		return "", fmt.Errorf("the device answers %s", resp.Status)
	}
	said := resp.Proto + " " + resp.Status
	if server := resp.Header.Get("Server"); server != "" {
		said += ", " + server
	}
	if resp.Close {
		return said, errClosing
	}
	return said, nil
}

// largePage gets the page and takes whatever status it has.
func largePage(o *check.Options) string { o.HTTP.AnyStatus = true; return "http" }

const sshVersion = "SSH-2.0-minato_testbench\r\n"

// exchangeSSH reads the server's version, says its own, and waits for the first packet of the key exchange, RFC 4253 sections 4.2 and 7.
func exchangeSSH(c io.Writer, in *bufio.Reader, mark func()) (string, error) {
	head, err := in.Peek(4)
	if err != nil {
		return "", err
	}
	if string(head) != "SSH-" {
		return "", wrongProtocol("SSH", head)
	}
	line, err := in.ReadSlice('\n') // bounded by the reader's buffer
	if err != nil {
		return "", err
	}
	said := strings.TrimSpace(string(line))
	mark()
	if _, err := io.WriteString(c, sshVersion); err != nil {
		return "", err
	}
	_, err = in.ReadByte()
	return said, err
}

// exchangeRDP is [MS-RDPBCGR] sections 2.2.1.1 and 2.2.1.2.
func exchangeRDP(c io.Writer, in *bufio.Reader, mark func()) (string, error) {
	mark()
	if _, err := c.Write(check.RDPConnectionRequest("")); err != nil {
		return "", err
	}
	head, err := in.Peek(6)
	if err != nil {
		return "", err
	}
	if head[0] != 3 || head[5]&0xf0 != 0xd0 { // TPKT, X.224 connection confirm
		return "", wrongProtocol("RDP", head)
	}
	_, err = in.Discard(int(binary.BigEndian.Uint16(head[2:])))
	return "the connection request is confirmed", err
}
