package report

import (
	"bytes"
	"testing"
	"time"
)

// sample is a run with every kind of result, and text that would break a page which did not escape it.
func sample(t testing.TB) Run {
	ladder, err := ParseLadder(bytes.NewReader(record(t, func(r *recorder) {
		r.open()
		r.send(true, ack, tlsRecord(22, 512, 1))
		r.send(false, ack, tlsRecord(22, 122, 2)+tlsRecord(20, 1, 1)+tlsRecord(23, 900))
		r.send(true, ack, tlsRecord(20, 1, 1)+tlsRecord(23, 53))
		r.send(true, ack, tlsRecord(23, 90))
		r.send(false, ack, tlsRecord(23, 14000))
		r.close()
	})), LadderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	refused, err := ParseLadder(bytes.NewReader(record(t, func(r *recorder) {
		r.open()
		r.send(true, ack, "SSH-2.0-<b>evil</b>&\"\r\n")
		r.send(false, fin|ack, "")
		r.send(true, fin|ack, "")
	})), LadderOptions{Right: "relay <script>alert(1)</script>"})
	if err != nil {
		t.Fatal(err)
	}
	return Run{
		Started: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC), Machine: "bench-1, linux/amd64, 2 processors", Version: "1.2.3", Seed: 4711,
		SIM: "8981100000000000002", Relay: "https://relay.example:8080/?a=<b>",
		Results: []Result{
			{
				Name: "http-tls", Doc: "A browser reaches the device's page over TLS.", Status: Pass, Duration: 1234 * time.Millisecond, Ladder: ladder, Timeline: sampleTimeline(),
				Log:       []LogLine{{0, "info", "port mapping 127.0.0.1:10123 made"}, {40 * time.Millisecond, "debug", "dialling"}, {time.Second, "", "GET /: 200, 5120 bytes"}},
				Artifacts: []Artifact{{"capture.pcapng", "http-tls/capture.pcapng"}, {"relay log", "http-tls/relay log.txt"}},
			},
			{
				Name: "ssh-on-tls <script>alert(1)</script>", Doc: "SSH on a mapping with the TLS option is refused in order.", Status: Fail, Duration: 75 * time.Second,
				Err: "the relay sent 14 bytes \"</pre><img src=x>\"\nbefore it closed", Hint: "see R01 in the audit log", Hops: []Hop{HopRelay}, Ladder: refused,
				Log:       []LogLine{{0, "warn", "</script><script>alert(2)</script>"}, {5 * time.Millisecond, "error", "\x1b[31mred\x00"}},
				Artifacts: []Artifact{{"bad", "javascript:alert(3)"}, {"worse", "//example.com/x"}},
			},
			{Name: "arm-agent", Doc: "The agent for ARM carries a page.", Status: Skip, Err: "qemu-arm is not installed", Hint: "apt install qemu-user-static"},
			{Name: "modbus", Doc: "Registers are read and written.", Status: Pass, Duration: 90 * time.Millisecond, Hops: []Hop{HopDevice, HopModem}, Values: Values{"round_trip_ms": 41.5, "lost": 0}},
		},
	}
}
