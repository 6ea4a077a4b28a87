package emulator

import (
	"fmt"
	"net/http"
	"time"

	"minato/emulator/core"
)

// SIM is a subscriber as the control API shows it, and as the relay's directory reads it.
type SIM struct {
	SIMID     string     `json:"simId"`
	IMSI      string     `json:"imsi"`
	ICCID     string     `json:"iccid"`
	IMEI      string     `json:"imei"` // of the modem that attached last
	MSISDN    string     `json:"msisdn"`
	Name      string     `json:"name"`      // "modem0" for the SIM of modem 0; "" for a SIM in a drawer
	Online    bool       `json:"online"`    // it has a session
	IPAddress string     `json:"ipAddress"` // "" while offline
	Since     *time.Time `json:"since"`     // when the session began; null while offline
	BytesUp   uint64     `json:"bytesUp"`   // from the device, in IP packets of the session
	BytesDown uint64     `json:"bytesDown"` // to the device
}

func (e *Emulator) sim(n int, s core.SubscriberStatus) SIM {
	sim := SIM{SIMID: s.SIMID, IMSI: s.IMSI, ICCID: s.ICCID, IMEI: s.IMEI, MSISDN: s.MSISDN, Online: s.Online}
	if n < len(e.modems) {
		sim.Name = fmt.Sprintf("modem%d", n)
	}
	if s.Online {
		sim.IPAddress = s.Session.Addr.String()
		sim.Since = &s.Session.Since
		sim.BytesUp, sim.BytesDown = s.Session.BytesUp, s.Session.BytesDown
	}
	return sim
}

func (e *Emulator) listSIMs(w http.ResponseWriter, _ *http.Request) {
	list := []SIM{}
	for n, s := range e.core.Subscribers() {
		list = append(list, e.sim(n, s))
	}
	reply(w, http.StatusOK, list)
}

// getSIM takes the SIM's id, or its IMSI.
func (e *Emulator) getSIM(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	for n, s := range e.core.Subscribers() {
		if s.SIMID == id || s.IMSI == id {
			reply(w, http.StatusOK, e.sim(n, s))
			return
		}
	}
	fail(w, http.StatusNotFound, "not_found", "there is no SIM %q", id)
}
