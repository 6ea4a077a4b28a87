package emulator

import (
	"errors"
	"net/http"
	"time"

	"minato/emulator/core"
	"minato/emulator/sms"
)

// newCentre makes the service centre of the network's SIMs.
func newCentre(cfg Config) (*sms.Centre, error) {
	var subs []sms.Subscriber
	for _, s := range cfg.Subscribers {
		subs = append(subs, sms.Subscriber{IMSI: s.IMSI, MSISDN: s.MSISDN})
	}
	zone := time.FixedZone("", cfg.Cell.Zone*15*60) // its time stamps are in the network's, which +CTZV tells (TS 23.040 section 9.2.3.11)
	now := func() time.Time { return time.Now().In(zone) }
	return sms.NewCentre(sms.CentreConfig{Subscribers: subs, Now: now, Logger: cfg.Logger.With("part", "sms")})
}

// withSIM finds the SIM that the path names, by its id or its IMSI.
func (e *Emulator) withSIM(do func(w http.ResponseWriter, r *http.Request, s core.SubscriberStatus)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		for _, s := range e.core.Subscribers() {
			if s.SIMID == id || s.IMSI == id {
				do(w, r, s)
				return
			}
		}
		fail(w, http.StatusNotFound, "not_found", "there is no SIM %q", id)
	}
}

// listMessages gives what a SIM sent.
func (e *Emulator) listMessages(w http.ResponseWriter, _ *http.Request, s core.SubscriberStatus) {
	list, _ := e.centre.Sent(s.IMSI) // every subscriber has a mailbox
	reply(w, http.StatusOK, list)
}

// sendMessage takes a message for a SIM. It is delivered once the modem is reachable and has room.
func (e *Emulator) sendMessage(w http.ResponseWriter, r *http.Request, s core.SubscriberStatus) {
	var req struct {
		From string `json:"from"`
		Text string `json:"text"`
	}
	if !decode(w, r, &req) {
		return
	}
	parts, err := e.centre.Send(s.IMSI, req.From, req.Text)
	switch {
	case errors.Is(err, sms.ErrTooMany):
		fail(w, http.StatusConflict, "conflict", "%v", err)
	case err != nil:
		fail(w, http.StatusBadRequest, "bad_request", "%v", err)
	default:
		reply(w, http.StatusAccepted, map[string]int{"parts": parts})
	}
}
