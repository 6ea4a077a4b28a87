package recognize

// clientMatchers are the openings of clients.
var clientMatchers = []matcher{
	{TLS, record(recordHandshake)},
	{SSH, prefix("SSH-")},
	{RDP, x224(x224ConnectionRequest)},
	{HTTP, httpRequest},
	{RTSP, rtspRequest},
	{Modbus, mbap},
	{RFB, prefix("RFB 003.")},
	{SMTP, anyPrefix("EHLO ", "HELO ", "ehlo ", "helo ")},
	{FTP, anyPrefix("USER ", "user ")},
	{Telnet, telnet},
	{MQTT, mqttConnect},
}

// method matches those of RFC 9110 section 9 and RFC 5789; PRI opens HTTP/2 (RFC 9113 section 3.4). A plain-text client
// sends nothing else to a device's web page.
var method = anyPrefix("GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "CONNECT ", "OPTIONS ", "TRACE ", "PATCH ", "PRI ")

// httpRequest leaves OPTIONS with an rtsp address to rtspRequest.
func httpRequest(b []byte) verdict {
	v := method(b)
	if v != yes {
		return v
	}
	switch begins(b, "OPTIONS rtsp://") {
	case yes:
		return no
	case maybe:
		return maybe
	}
	return yes
}

var rtspRequest = anyPrefix("OPTIONS rtsp://", "DESCRIBE rtsp://", "SETUP rtsp://")

// mqttConnect: CONNECT is 0x10, a remaining length of one to four bytes, then the protocol name with its length.
func mqttConnect(b []byte) verdict {
	if len(b) == 0 {
		return maybe
	}
	if b[0] != 0x10 {
		return no
	}
	i := 1
	for ; ; i++ {
		if i > 4 {
			return no // MQTT 3.1.1 section 2.2.3: four bytes at most
		}
		if i >= len(b) {
			return maybe
		}
		if b[i]&0x80 == 0 {
			break
		}
	}
	return max(begins(b[i+1:], "\x00\x04MQTT"), begins(b[i+1:], "\x00\x06MQIsdp"))
}

// prefix matches bytes that begin with want.
func prefix(want string) func([]byte) verdict {
	return func(b []byte) verdict { return begins(b, want) }
}

func begins(b []byte, want string) verdict {
	n := min(len(b), len(want))
	switch {
	case string(b[:n]) != want[:n]:
		return no
	case n < len(want):
		return maybe
	}
	return yes
}

// anyPrefix matches bytes that begin with one of want.
func anyPrefix(want ...string) func([]byte) verdict {
	return func(b []byte) verdict {
		best := no
		for _, w := range want {
			best = max(best, begins(b, w))
		}
		return best
	}
}
