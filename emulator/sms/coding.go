package sms

// Alphabet is how user data are coded.
type Alphabet int

// The alphabets of TS 23.038 section 4.
const (
	GSM7 Alphabet = iota
	Octets
	UCS2
)

// Data coding schemes that are used most.
const (
	DCSGSM7   byte = 0x00
	DCSOctets byte = 0x04
	DCSUCS2   byte = 0x08
)

// NoClass is the class of a message without one.
const NoClass = -1

// Coding takes a data coding scheme apart. Reserved codes mean the default alphabet, as TS 23.038 section 4 says; compressed text
// is octets to us.
func Coding(dcs byte) (a Alphabet, class int) {
	class = NoClass
	switch group := dcs >> 4; {
	case group < 8: // general data coding, also with marking for automatic deletion
		if dcs&0x10 != 0 {
			class = int(dcs & 3)
		}
		switch {
		case dcs&0x20 != 0:
			a = Octets
		case dcs&0x0c == 4:
			a = Octets
		case dcs&0x0c == 8:
			a = UCS2
		}
	case group == 0xe: // message waiting, store
		a = UCS2
	case group == 0xf:
		class = int(dcs & 3)
		if dcs&4 != 0 {
			a = Octets
		}
	}
	return a, class
}
