package sms

// Element is one information element of a user data header (TS 23.040 section 9.2.3.24).
type Element struct {
	ID   byte
	Data []byte
}

// Identifiers of elements.
const (
	elementConcat8  = 0x00
	elementConcat16 = 0x08
)

// Concat tells which part of a longer message a message is.
type Concat struct {
	Reference uint16
	Wide      bool // the reference has 16 bits
	Total     int  // 1 to 255
	Part      int  // from 1
}

func (c Concat) element() Element {
	if c.Wide {
		return Element{elementConcat16, []byte{byte(c.Reference >> 8), byte(c.Reference), byte(c.Total), byte(c.Part)}}
	}
	return Element{elementConcat8, []byte{byte(c.Reference), byte(c.Total), byte(c.Part)}}
}

// Concat finds the element that makes a message part of a longer one. One that makes no sense is to be ignored (section 9.2.3.24.1).
func (u UserData) Concat() (c Concat, ok bool) {
	for _, e := range u.Header {
		switch {
		case e.ID == elementConcat8 && len(e.Data) == 3:
			c = Concat{uint16(e.Data[0]), false, int(e.Data[1]), int(e.Data[2])}
		case e.ID == elementConcat16 && len(e.Data) == 4:
			c = Concat{uint16(e.Data[0])<<8 | uint16(e.Data[1]), true, int(e.Data[2]), int(e.Data[3])}
		default:
			continue
		}
		ok = c.Part >= 1 && c.Part <= c.Total
	}
	if !ok {
		return Concat{}, false
	}
	return c, true
}

// appendHeader adds UDHL and the elements.
func appendHeader(b []byte, header []Element) ([]byte, error) {
	at := len(b)
	b = append(b, 0)
	for _, e := range header {
		if len(e.Data) > maxOctets {
			return nil, malformed("user data header: element %d has %d octets", e.ID, len(e.Data))
		}
		b = append(b, e.ID, byte(len(e.Data)))
		b = append(b, e.Data...)
	}
	if n := len(b) - at; n > maxOctets {
		return nil, malformed("user data header: %d octets, at most %d are allowed", n, maxOctets)
	}
	b[at] = byte(len(b) - at - 1)
	return b, nil
}

// parseHeader reads the elements of a header without its UDHL.
func parseHeader(b []byte) ([]Element, error) {
	header := []Element{}
	r := reader{b: b}
	for r.left() > 0 {
		e := Element{ID: r.octet("user data header")}
		e.Data = r.take(int(r.octet("user data header")), "user data header")
		if r.err != nil {
			return nil, r.err
		}
		header = append(header, e)
	}
	return header, nil
}
