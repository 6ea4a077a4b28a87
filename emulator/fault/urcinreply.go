package fault

import (
	"bytes"
	"context"

	"minato/emulator/dce"
)

// URCInReply is an unsolicited result that cannot wait.
var URCInReply = Fault{
	Name: "urc-in-reply",
	Doc:  "An unsolicited result stands inside the answer to a command: before the final result, and after the information text if there is one.",
	Params: []Param{
		text("urc", "the unsolicited result", `+CMTI: "SM",4`),
		match(),
		counted(0),
	},
	Inject: func(t Target, p Params) (func(), error) {
		left, hits := newBudget(p.num("count")), prefix(p["match"])
		urc := []byte("\r\n" + p["urc"] + "\r\n")
		return t.Hook(dce.Hook{Reply: func(_ context.Context, _ dce.PortRef, line string, reply []byte) []byte {
			at := finalResult(reply)
			if at < 0 || !hits(line) || !left.take() {
				return reply
			}
			return append(append(append([]byte(nil), reply[:at]...), urc...), reply[at:]...)
		}}), nil
	},
}

// finalResult is where the final result of an answer begins, its CR LF included; it is negative where nothing was said in words.
func finalResult(reply []byte) int {
	body, ok := bytes.CutSuffix(reply, []byte("\r\n"))
	if !ok {
		return -1
	}
	return bytes.LastIndex(body, []byte("\r\n"))
}
