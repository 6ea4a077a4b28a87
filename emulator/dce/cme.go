package dce

// Numbers of +CME ERROR (TS 27.007 section 9.2).
const (
	cmePhoneFailure     = 0
	cmeNotAllowed       = 3
	cmeNotSupported     = 4
	cmeSIMNotInserted   = 10
	cmeSIMPINRequired   = 11
	cmeSIMPUKRequired   = 12
	cmeSIMFailure       = 13
	cmeSIMBusy          = 14
	cmeWrongPassword    = 16
	cmePIN2Required     = 17
	cmePUK2Required     = 18
	cmeMemoryFull       = 20
	cmeInvalidIndex     = 21
	cmeNotFound         = 22
	cmeTextTooLong      = 24
	cmeInvalidText      = 25
	cmeNumberTooLong    = 26
	cmeInvalidNumber    = 27
	cmeNoNetwork        = 30
	cmeIncorrectParams  = 50
	cmeUnknown          = 100
	cmeServiceForbidden = 107 // GPRS services not allowed
	cmeNotSubscribed    = 133 // requested service option not subscribed
	cmeServiceOption    = 134 // service option temporarily out of order
	cmeUnspecifiedGPRS  = 148
	cmePDPAuth          = 149
	cmeLastPDN          = 171
)

// cmeText are the texts of the numbers that the emulator or a personality may use.
var cmeText = map[int]string{
	0:   "phone failure",
	1:   "no connection to phone",
	2:   "phone-adaptor link reserved",
	3:   "operation not allowed",
	4:   "operation not supported",
	5:   "PH-SIM PIN required",
	10:  "SIM not inserted",
	11:  "SIM PIN required",
	12:  "SIM PUK required",
	13:  "SIM failure",
	14:  "SIM busy",
	15:  "SIM wrong",
	16:  "incorrect password",
	17:  "SIM PIN2 required",
	18:  "SIM PUK2 required",
	20:  "memory full",
	21:  "invalid index",
	22:  "not found",
	23:  "memory failure",
	24:  "text string too long",
	25:  "invalid characters in text string",
	26:  "dial string too long",
	27:  "invalid characters in dial string",
	30:  "no network service",
	31:  "network timeout",
	32:  "network not allowed - emergency calls only",
	50:  "Incorrect parameters",
	100: "unknown",
	103: "Illegal MS",
	106: "Illegal ME",
	107: "GPRS services not allowed",
	108: "GPRS services and non-GPRS services not allowed",
	111: "PLMN not allowed",
	112: "Location area not allowed",
	113: "Roaming not allowed in this location area",
	132: "service option not supported",
	133: "requested service option not subscribed",
	134: "service option temporarily out of order",
	148: "unspecified GPRS error",
	149: "PDP authentication failure",
	150: "invalid mobile class",
	171: "last PDN disconnection not allowed",
	504: "Session is ongoing", // these three are Quectel's, of GNSS
	505: "Session not active",
	516: "Not fixed now",
}
