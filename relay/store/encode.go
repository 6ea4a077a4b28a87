package store

import (
	"encoding/json"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"
)

// The audit log's records are written here and not by encoding/json, which takes four times as long: a busy relay writes three for each connection.
// They are the same to the byte, and encoding/json reads them.

// object appends the fields of a JSON object. Those that are empty are left out.
type object struct{ b []byte }

func (o *object) name(name string) {
	separator := byte(',')
	if len(o.b) == 0 {
		separator = '{'
	}
	o.b = append(o.b, separator, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *object) text(name, value string) {
	if value != "" {
		o.name(name)
		o.b = appendText(o.b, value)
	}
}

func (o *object) number(name string, value int64) {
	if value != 0 {
		o.name(name)
		o.b = strconv.AppendInt(o.b, value, 10)
	}
}

func (o *object) addr(name string, value netip.AddrPort) {
	if value != (netip.AddrPort{}) {
		o.name(name)
		o.b = append(o.b, '"')
		o.b = value.AppendTo(o.b)
		o.b = append(o.b, '"')
	}
}

// marshal writes a record.
func (r *auditRecord) marshal() []byte {
	o := object{make([]byte, 0, 512+128*len(r.Ladder))}
	o.number("v", int64(r.V))
	o.name("k")
	o.b = strconv.AppendUint(o.b, r.K, 10)
	o.name("t")
	o.b = append(o.b, '"')
	o.b = r.Time.AppendFormat(o.b, time.RFC3339Nano)
	o.b = append(o.b, '"')
	o.text("type", string(r.Type))
	o.text("conn", r.ConnectionID)
	o.text("op", r.OperatorID)
	o.text("sim", r.SIMID)
	o.text("imsi", r.IMSI)
	if r.TLS {
		o.name("tls")
		o.b = append(o.b, "true"...)
	}
	o.addr("src", r.Source)
	o.addr("dst", r.Destination)
	o.number("port", int64(r.DevicePort))
	o.text("code", r.Code)
	o.text("why", r.Reason)
	o.text("proto", r.Protocol)
	o.text("dev", r.Device)
	o.text("tlsv", r.TLSVersion)
	o.text("sni", r.SNI)
	o.number("up", r.BytesUp)
	o.number("down", r.BytesDown)
	o.number("dur", int64(r.Duration))
	if !r.End.IsZero() {
		o.name("end")
		o.b = r.End.appendTo(o.b)
	}
	o.number("n", int64(r.Count))
	for i, s := range r.Ladder {
		if i == 0 {
			o.name("ev")
			o.b = append(o.b, '[')
		} else {
			o.b = append(o.b, ',')
		}
		o.b = s.appendTo(o.b)
	}
	if len(r.Ladder) > 0 {
		o.b = append(o.b, ']')
	}
	return append(o.b, '}')
}

// appendText appends a JSON string (RFC 8259 section 7).
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c >= utf8.RuneSelf, c == '"', c == '\\', c == '<', c == '>', c == '&':
			quoted, _ := json.Marshal(s) // a string has no error
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
