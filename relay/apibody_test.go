package relay

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"minato/relay/relayapi"
)

// Whatever the body is, it is a good request or one 4xx, and a good one stays inside the limits.
func FuzzCreateRequest(f *testing.F) {
	f.Add(`{"destination":{"imsi":"440101234567890","port":80},"duration":1800,"tlsRequired":true,"source":{"ipRanges":["203.0.113.0/24"]}}`)
	f.Add(`{"destination":{"simId":"8981100000000000001","port":80,"service":"air"},"source":{"ipRanges":["::/0"]}}`)
	f.Add(`{"destination":null,"duration":1e3}`)
	f.Add(`{"destination":{"imsi":"4.0","port":8.0e1},"duration":-1.80e+3}`)
	r := &Relay{cfg: Config{Directory: testSIMs, Clock: systemClock{}, Advertise: netip.MustParseAddr("127.0.0.1")}}
	f.Fuzz(func(t *testing.T, body string) {
		req := httptest.NewRequest("POST", "/v1/port_mappings", strings.NewReader(body))
		c := &call{Request: req, caller: netip.MustParseAddrPort("127.0.0.1:1"), header: http.Header{}}
		var request relayapi.CreatePortMappingRequest
		err := decodeBody(c, &request)
		if err == nil {
			m, err2 := r.mappingOf(c, request)
			if err = err2; err == nil && (m.SIMID == "" || m.DevicePort == 0 || m.Duration <= 0 || m.Duration.Hours() > 8 || len(m.Sources) == 0) {
				t.Errorf("%s became %+v", body, m)
			}
		}
		if e, ok := err.(*apiError); err != nil && (!ok || e.status < 400 || e.status > 499) {
			t.Errorf("%s: %v", body, err)
		}
	})
}
