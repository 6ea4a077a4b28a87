package relay

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"
)

// SORACOM's definition documents last_evaluated_key of both audit logs as a time of the page's last entry, createdAt and requestedTimeEpochMs.
func TestAuditPagesByTime(t *testing.T) {
	clock := newFakeClock()
	start := clock.Now()
	r := startRelay(t, Config{Clock: clock})
	const mappings = 5
	for range mappings {
		r.mapping(false)
		clock.Advance(time.Second)
	}
	for _, tt := range []struct{ name, path, time string }{
		{"Napter's", "/v1/audit_logs/napter?limit=2", "createdAt"},
		{"Napter's of a SIM to a time", fmt.Sprintf("/v1/audit_logs/napter?limit=2&sim_id=%s&to=%d", simA, start.Add(time.Minute).UnixMilli()), "createdAt"},
		{"the API's", "/v1/audit_logs/api?limit=2&api_kind=POST+/v1/port_mappings", "requestedTimeEpochMs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got, want []int64
			for i := range mappings {
				want = append(want, start.Add(time.Duration(mappings-1-i)*time.Second).UnixMilli())
			}
			for key := ""; len(got) <= mappings; key = fmt.Sprintf("&last_evaluated_key=%d", got[len(got)-1]) {
				status, answer, _ := r.request("GET", tt.path+key, "", nil)
				var page []map[string]any
				if err := json.Unmarshal([]byte(answer), &page); status != 200 || err != nil {
					t.Fatalf("%d %s: %v", status, answer, err)
				}
				if len(page) == 0 {
					break
				}
				for _, e := range page {
					got = append(got, int64(e[tt.time].(float64)))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("entries of %d\nwant %d", got, want)
			}
		})
	}
}

// The same of the error log, whose entries have their time in the field time.
func TestErrorLogPagesByTime(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock})
	m := r.mapping(true)
	var want []int64
	for range 3 {
		conn := r.dial(m)
		io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n") // R03
		expectEOF(t, conn)
		conn.Close()
		want = append([]int64{r.awaitAuditOf(conn).CreatedAt}, want...)
		clock.Advance(time.Second)
	}
	var got []int64
	for key := ""; len(got) <= len(want); key = fmt.Sprintf("&last_evaluated_key=%d", got[len(got)-1]) {
		status, answer, _ := r.request("GET", "/v1/logs?limit=2&service=Napter"+key, "", nil)
		var page []struct{ Time int64 }
		if err := json.Unmarshal([]byte(answer), &page); status != 200 || err != nil {
			t.Fatalf("%d %s: %v", status, answer, err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			got = append(got, e.Time)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("entries of %d\nwant %d", got, want)
	}
}
