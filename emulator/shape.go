package emulator

import (
	"net/http"

	"minato/emulator/core"
)

// linkShape is how a SIM's link treats packets, as core.ParseShape has it.
type linkShape struct {
	Shape string `json:"shape"`
}

func (e *Emulator) getShape(w http.ResponseWriter, _ *http.Request, s core.SubscriberStatus) {
	reply(w, http.StatusOK, linkShape{s.Shape.String()})
}

func (e *Emulator) setShape(w http.ResponseWriter, r *http.Request, s core.SubscriberStatus) {
	var req linkShape
	if !decode(w, r, &req) {
		return
	}
	shape, err := core.ParseShape(req.Shape)
	if err == nil {
		err = e.core.SetShape(s.SIMID, shape)
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "bad_request", "%v", err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
