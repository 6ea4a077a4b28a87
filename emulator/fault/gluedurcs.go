package fault

import (
	"context"
	"strings"

	"minato/emulator/dce"
)

// GluedURCs are results that come in one piece.
var GluedURCs = Fault{
	Name: "glued-urcs",
	Doc:  "Unsolicited results come glued to the end of each answer, in one write with it and with each other, as +CREG: 5 and +CGREG: 0 were seen to.",
	Params: []Param{
		text("urcs", "the unsolicited results, a | between them", "+CREG: 5|+CGREG: 0"),
		choice("between", "what stands between them: lines as they should be, or one CR LF where two belong", "crlf", "crlf", "half"),
		match(),
		counted(0),
	},
	Inject: func(t Target, p Params) (func(), error) {
		left, hits := newBudget(p.num("count")), prefix(p["match"])
		between := "\r\n\r\n"
		if p["between"] == "half" {
			between = "\r\n"
		}
		glued := strings.ReplaceAll(p["urcs"], "|", between) + "\r\n"
		return t.Hook(dce.Hook{Reply: func(_ context.Context, _ dce.PortRef, line string, reply []byte) []byte {
			if !hits(line) || !left.take() {
				return reply
			}
			if p["between"] == "half" && strings.HasSuffix(string(reply), "\r\n") {
				return append(reply, glued...)
			}
			return append(reply, "\r\n"+glued...)
		}}), nil
	},
}
