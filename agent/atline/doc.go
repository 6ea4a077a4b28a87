// Package atline is the line discipline between a modem's port and the rest of the agent. A modem speaks three languages on one
// wire: replies to commands, result codes that nobody asked for, and, after CONNECT, whatever the call carries. One reader
// takes the wire apart:
//
//	            +--> replies ---> warthog618/modem/at ---> Command
//	port ---> Line --> URCs, in order ---> Config.OnURC
//	            +--> data mode ---> Data (Read, WriteTo)
//
// Commands are sent by github.com/warthog618/modem/at, which sees a shim in place of the port: only lines that answer the
// command that is under way, and exactly one final result for each. What a late reply says is never credited to a later command.
//
//	line := atline.New(port, atline.Config{OnURC: func(u atline.URC) { ... }})
//	defer line.Close()
//	info, err := line.Command(ctx, "+CSQ")
//	data, text, err := line.Connect(ctx, "D*99***1#")
//
// Section numbers in comments are those of ITU-T V.250 and 3GPP TS 27.007.
package atline
