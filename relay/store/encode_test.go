package store

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

// fullRecord has a value in every field.
func fullRecord(t testing.TB) auditRecord {
	r := auditRecord{auditVersion, 7, Entry{
		Time: auditStart.Add(123456789), Type: Closed, ConnectionID: "5b2cf5b8-9a3d-4e53-a9c5-000000000001", OperatorID: "OP0012345678",
		SIMID: "8981100000000000001", IMSI: "440101234567890", TLS: true,
		Source: netip.MustParseAddrPort("[2001:db8::1]:50000"), Destination: netip.MustParseAddrPort("203.0.113.9:20000"), DevicePort: 22,
		Code: "R05", Reason: "the client does not speak TLS", Protocol: "ssh", Device: "vnc", TLSVersion: "TLS 1.3", SNI: "device.example",
		BytesUp: 73, BytesDown: 1 << 40, Duration: 5 * time.Second, End: Words{"client-error", []string{`read: "reset"`, "<再>"}}, Count: 3,
		Ladder: []Step{
			{0, "client", Words{Code: "connection"}, 0},
			{1500*time.Microsecond + 999, "device", Words{"first-bytes", []string{"ssh"}}, 40},
		},
	}}
	for i := range reflect.TypeFor[Entry]().NumField() {
		if f := reflect.TypeFor[Entry]().Field(i); f.Tag.Get("json") != "-" && reflect.ValueOf(r.Entry).Field(i).IsZero() {
			t.Fatalf("field %s is empty: give it a value here", f.Name)
		}
	}
	return r
}

// What is written by hand is what encoding/json would write.
func TestMarshalRecord(t *testing.T) {
	full := fullRecord(t)
	texts := full
	texts.Reason, texts.SNI = "tab\tquote\"back\\slash<a>&\u2028\x7f", "not UTF-8: \xff"
	local := full
	local.Time = local.Time.In(time.FixedZone("JST", 9*60*60))
	for name, r := range map[string]auditRecord{
		"full":  full,
		"texts": texts,
		"local": local,
		"empty": {Entry: Entry{Time: auditStart, Type: Access}, V: auditVersion},
	} {
		want, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.marshal(); string(got) != string(want) {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

func BenchmarkMarshalRecord(b *testing.B) {
	r := fullRecord(b)
	r.End = Words{Code: "client-closed"}
	b.ReportAllocs()
	for b.Loop() {
		r.marshal()
	}
}
