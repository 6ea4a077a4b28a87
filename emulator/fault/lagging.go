package fault

import (
	"context"
	"sync"

	"minato/emulator/dce"
)

// LaggingReply is what u-blox's SARA-G450 was seen to do.
var LaggingReply = Fault{
	Name: "lagging-reply",
	Doc:  "Answers are one command behind: each is held back until the next command line, the first of which brings nothing. What is held back when the fault is cleared is lost.",
	Inject: func(t Target, _ Params) (func(), error) {
		var mu sync.Mutex
		held := map[dce.PortRef][]byte{}
		return t.Hook(dce.Hook{Reply: func(_ context.Context, port dce.PortRef, _ string, reply []byte) []byte {
			mu.Lock()
			defer mu.Unlock()
			last := held[port]
			held[port] = reply
			return last
		}}), nil
	},
}
