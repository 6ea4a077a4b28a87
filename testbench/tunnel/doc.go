// Package tunnel does what stunnel does in client mode: it accepts plaintext connections on this computer and carries each over
// TLS to a server, so that a VNC viewer or a Modbus client that knows nothing of TLS reaches a port mapping with the TLS option on.
//
//	client --plaintext--> Accept [Tunnel] Connect --TLS--> relay --plaintext--> device
//
// One Tunnel is one service: make it with New and call Run.
//
//	t, err := tunnel.New(tunnel.Config{Accept: "127.0.0.1:5900", Connect: "203-0-113-7.example.net:10123", CAFile: "ca.pem"})
//	...
//	err = t.Run(ctx) // nil once ctx ends
//
// A stunnel.conf gives several at once: ParseConf reads it and Group runs what it says. Unlike stunnel, a Config made by hand
// checks the certificate and the name unless it says otherwise; a stunnel.conf keeps stunnel's own default, which checks nothing.
package tunnel
