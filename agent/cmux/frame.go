package cmux

// Frame is one frame of the basic option (section 5.2.1).
type Frame struct {
	DLCI    byte // 0 to 63
	Command bool // the C/R bit as it is on the line: what it means depends on who sends (section 5.2.1.2)
	Type    FrameType
	PF      bool // poll in commands, final in responses
	Info    []byte
}

// AppendFrame appends f with both its flags. Info is at most MaxInfo long.
func AppendFrame(dst []byte, f Frame) []byte {
	address, control := f.DLCI<<2|ea, byte(f.Type)
	if f.Command {
		address |= cr
	}
	if f.PF {
		control |= pf
	}
	dst = append(dst, flag)
	start, n := len(dst), len(f.Info)
	if n < 1<<7 {
		dst = append(dst, address, control, byte(n)<<1|ea)
	} else {
		dst = append(dst, address, control, byte(n)<<1, byte(n>>7))
	}
	fcs := updateFCS(fcsInit, dst[start:])
	if f.Type == UI { // the other types' FCS covers the header only
		fcs = updateFCS(fcs, f.Info)
	}
	dst = append(dst, f.Info...)
	return append(dst, ^fcs, flag)
}

// framedSize is how long n octets are on the line in frames of n1 octets.
func framedSize(n, n1 int) int {
	frames := (n + n1 - 1) / n1
	return n + frames*overhead(n1)
}

// overhead is what the longest frame of n1 octets has beyond them.
func overhead(n1 int) int {
	if n1 < 1<<7 {
		return headerSize - 1 + trailerSize
	}
	return headerSize + trailerSize
}
