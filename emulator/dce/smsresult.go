package dce

import (
	"errors"

	"minato/emulator/sms"
)

// Numbers of +CMS ERROR (TS 27.005 section 3.2.5). Those below 128 are causes of the relay layer, and come from the network.
const (
	cmsNotAllowed     = 302
	cmsNotSupported   = 303
	cmsPDUParameter   = 304
	cmsTextParameter  = 305
	cmsSIMNotInserted = 310
	cmsSIMPINRequired = 311
	cmsSIMFailure     = 313
	cmsSIMBusy        = 314
	cmsSIMPUKRequired = 316
	cmsInvalidIndex   = 321
	cmsMemoryFull     = 322
	cmsCentreUnknown  = 330
	cmsNoNetwork      = 331
	cmsNoAckExpected  = 340
	cmsUnknown        = 500
)

var cmsText = map[int]string{
	cmsNotAllowed:     "operation not allowed",
	cmsNotSupported:   "operation not supported",
	cmsPDUParameter:   "invalid PDU mode parameter",
	cmsTextParameter:  "invalid text mode parameter",
	cmsSIMNotInserted: "(U)SIM not inserted",
	cmsSIMPINRequired: "(U)SIM PIN required",
	cmsSIMFailure:     "(U)SIM failure",
	cmsSIMBusy:        "(U)SIM busy",
	cmsSIMPUKRequired: "(U)SIM PUK required",
	cmsInvalidIndex:   "invalid memory index",
	cmsMemoryFull:     "memory full",
	cmsCentreUnknown:  "SMSC address unknown",
	cmsNoNetwork:      "no network service",
	cmsNoAckExpected:  "no +CNMA acknowledgement expected",
	cmsUnknown:        "unknown error",
}

func cms(n int) result { return cmsError(n, cmsText[n]) }

// cmsOfCard is the number for what keeps a card from being read.
func cmsOfCard(cme int) int {
	switch cme {
	case cmeSIMNotInserted:
		return cmsSIMNotInserted
	case cmeSIMPINRequired:
		return cmsSIMPINRequired
	case cmeSIMPUKRequired:
		return cmsSIMPUKRequired
	case cmeSIMBusy:
		return cmsSIMBusy
	}
	return cmsSIMFailure
}

// cmsOfNetwork is the network's refusal as the modem tells it.
func cmsOfNetwork(err error) result {
	var no *sms.Reject
	if errors.As(err, &no) {
		return cmsError(int(no.Cause), no.Reason)
	}
	return cms(cmsUnknown)
}
