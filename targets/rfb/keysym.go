package rfb

import "unicode"

// Keysym is a key by its X11 symbol (section 7.5.4; the values are in the X Window System's keysymdef.h).
type Keysym uint32

// Keys without a character of their own that people press in a text.
const (
	KeyBackSpace Keysym = 0xff08
	KeyTab       Keysym = 0xff09
	KeyReturn    Keysym = 0xff0d
	KeyEscape    Keysym = 0xff1b
	KeyDelete    Keysym = 0xffff
	KeyPadEnter  Keysym = 0xff8d

	keyPadFirst   Keysym = 0xffaa // KP_Multiply; the characters * + , - . / 0 ... 9 in the order of ASCII
	keyPadLast    Keysym = 0xffb9
	keyPadSpace   Keysym = 0xff80
	keyPadEqual   Keysym = 0xffbd
	euroSign      Keysym = 0x20ac
	unicodeBase   Keysym = 0x01000000
	unicodeFirst  Keysym = unicodeBase + 0x100
	unicodeLast   Keysym = unicodeBase + unicode.MaxRune
	keyPadToASCII        = 0xff80
)

// Rune is the printable character of a key, if it has one.
func (k Keysym) Rune() (rune, bool) {
	switch {
	case k >= 0x20 && k <= 0x7e, k >= 0xa0 && k <= 0xff, k == euroSign:
		return rune(k), true
	case k >= keyPadFirst && k <= keyPadLast, k == keyPadEqual:
		return rune(k - keyPadToASCII), true
	case k == keyPadSpace:
		return ' ', true
	case k >= unicodeFirst && k <= unicodeLast:
		if r := rune(k - unicodeBase); unicode.IsPrint(r) {
			return r, true
		}
	}
	return 0, false
}
