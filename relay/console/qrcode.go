package console

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quietZone is the white border of a QR code in modules (ISO/IEC 18004 section 9.1).
const quietZone = 4

// svg draws a QR code as one path of unit squares.
func svg(code *qr.Code) string {
	size := code.Size + 2*quietZone
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`, size, size)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/><path d="`, size, size)
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quietZone, y+quietZone)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String()
}
