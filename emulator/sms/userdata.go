package sms

const (
	maxOctets  = 140 // of user data, header included (TS 23.040 section 9.2.3.16)
	maxSeptets = 160
)

// UserData is TP-User-Data with its header.
type UserData struct {
	Header []Element // nil: none, and TP-User-Data-Header-Indicator is clear
	Data   []byte    // with GSM7 one septet a byte, else octets
}

// Text gives the text of user data that were coded by a data coding scheme; for octets it is empty.
func (u UserData) Text(dcs byte) string {
	switch a, _ := Coding(dcs); a {
	case GSM7:
		return DecodeGSM(u.Data)
	case UCS2:
		text, err := DecodeUCS2(u.Data)
		if err != nil { // the odd octet is shown by no phone
			text, _ = DecodeUCS2(u.Data[:len(u.Data)-1])
		}
		return text
	}
	return ""
}

// Encode gives TP-User-Data-Length and the octets of header and data.
func (u UserData) Encode(dcs byte) (length byte, octets []byte, err error) {
	if u.Header != nil {
		if octets, err = appendHeader(nil, u.Header); err != nil {
			return 0, nil, err
		}
	}
	if a, _ := Coding(dcs); a != GSM7 {
		octets = append(octets, u.Data...)
		if len(octets) > maxOctets {
			return 0, nil, malformed("user data: %d octets, at most %d are allowed", len(octets), maxOctets)
		}
		return byte(len(octets)), octets, nil
	}
	before, fill := septetBoundary(len(octets))
	if n := before + len(u.Data); n > maxSeptets {
		return 0, nil, malformed("user data: %d septets, at most %d are allowed", n, maxSeptets)
	}
	return byte(before + len(u.Data)), append(octets, packSeptets(u.Data, fill)...), nil
}

// DecodeUserData reads what Encode gives. header is TP-User-Data-Header-Indicator.
func DecodeUserData(dcs byte, header bool, length byte, octets []byte) (UserData, error) {
	a, _ := Coding(dcs)
	n, limit := int(length), maxOctets
	if a == GSM7 {
		n, limit = (7*n+7)/8, maxSeptets
	}
	if int(length) > limit {
		return UserData{}, malformed("user data: length %d, at most %d is allowed", length, limit)
	}
	if len(octets) != n {
		return UserData{}, malformed("user data: %d octets for a length of %d", len(octets), length)
	}
	var u UserData
	at := 0
	if header {
		r := reader{b: octets}
		h := r.take(int(r.octet("user data header")), "user data header")
		if r.err != nil {
			return UserData{}, r.err
		}
		var err error
		if u.Header, err = parseHeader(h); err != nil {
			return UserData{}, err
		}
		at = r.at
	}
	if a != GSM7 {
		u.Data = octets[at:]
		return u, nil
	}
	before, fill := septetBoundary(at)
	if before > int(length) {
		return UserData{}, malformed("user data: length %d ends inside the header", length)
	}
	u.Data = unpackSeptets(octets[at:], int(length)-before, fill)
	return u, nil
}

// septetBoundary gives how many septets a header of some octets takes up, and the bits that fill the last of them (section 9.2.3.24).
func septetBoundary(header int) (septets, fill int) {
	septets = (8*header + 6) / 7
	return septets, 7*septets - 8*header
}

// userData reads TP-User-Data-Length and TP-User-Data, which are the last of every TPDU.
func (r *reader) userData(dcs byte, header bool) UserData {
	length := r.octet("user data length")
	if r.err != nil {
		return UserData{}
	}
	u, err := DecodeUserData(dcs, header, length, r.b[r.at:])
	if err != nil {
		r.err = err
		return UserData{}
	}
	r.at = len(r.b)
	return u
}

func (u UserData) append(b []byte, dcs byte) ([]byte, error) {
	length, octets, err := u.Encode(dcs)
	if err != nil {
		return nil, err
	}
	return append(append(b, length), octets...), nil
}
