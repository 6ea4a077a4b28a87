// Package sms is the short message service: the transfer layer's codec (3GPP TS 23.040, 23.038), the stores of a modem, and the
// network's service centre.
//
//	modem A ──Submit──> Centre ──Next──> modem B ──Acknowledge or Refuse──> Centre
//	                      ^ │
//	        Send ─────────┘ └─────> Sent      the world outside: the control API
//
// A modem pulls what is for it, so that the centre never calls into a modem but to wake it.
package sms
