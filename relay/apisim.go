package relay

import (
	"context"
	"net/http"

	"minato/relay/relayapi"
)

func (r *Relay) listSIMs(c *call) (any, error) {
	sims, err := r.sims(c.Context())
	if err != nil {
		return nil, err
	}
	list := make([]relayapi.SIM, 0, len(sims))
	for _, s := range sims {
		list = append(list, simAnswer(s))
	}
	return page(c, list, func(s relayapi.SIM) string { return s.SIMID })
}

func (r *Relay) getSIM(c *call) (any, error) {
	s, err := r.simByID(c.Context(), c.PathValue("sim_id"))
	if err != nil {
		return nil, err
	}
	return simAnswer(s), nil
}

// sims asks the directory. Its failure is a 503: trying again is right.
func (r *Relay) sims(ctx context.Context) ([]SIM, error) {
	sims, err := r.cfg.Directory.SIMs(ctx)
	if err != nil {
		r.log.Error("listing the SIMs", "error", err)
		return nil, apiErrorf(http.StatusServiceUnavailable, codeDirectory, "the list of SIMs cannot be had at the moment")
	}
	return sims, nil
}

func (r *Relay) simByID(ctx context.Context, id string) (SIM, error) {
	return r.findSIM(ctx, "simId", id, func(s SIM) string { return s.ID })
}

func (r *Relay) simByIMSI(ctx context.Context, imsi string) (SIM, error) {
	return r.findSIM(ctx, "imsi", imsi, func(s SIM) string { return s.IMSI })
}

func (r *Relay) findSIM(ctx context.Context, field, value string, of func(SIM) string) (SIM, error) {
	sims, err := r.sims(ctx)
	if err != nil {
		return SIM{}, err
	}
	for _, s := range sims {
		if value != "" && of(s) == value {
			return s, nil
		}
	}
	return SIM{}, apiErrorf(http.StatusNotFound, codeNoSIM, "%s %s is not known: GET /v1/sims lists the SIMs", field, quote(value))
}

func simAnswer(s SIM) relayapi.SIM {
	a := relayapi.SIM{SIMID: s.ID, OperatorID: operatorID, Status: "active", Tags: map[string]string{}}
	if s.Name != "" {
		a.Tags["name"] = s.Name
	}
	if s.ICCID != "" {
		a.ActiveProfile = s.ICCID
		p := relayapi.SIMProfile{ICCID: s.ICCID, PrimaryIMSI: s.IMSI, Subscribers: map[string]relayapi.SIMSubscriber{}}
		if s.IMSI != "" {
			p.Subscribers[s.IMSI] = relayapi.SIMSubscriber{IMSI: s.IMSI, MSISDN: s.MSISDN, Status: "active"}
		}
		a.Profiles = map[string]relayapi.SIMProfile{s.ICCID: p}
	}
	a.SessionStatus = relayapi.SessionStatus{Online: s.Online, IMSI: s.IMSI, IMEI: s.IMEI}
	if s.Addr.IsValid() {
		a.SessionStatus.UEIPAddress = s.Addr.String()
	}
	if !s.Since.IsZero() {
		a.SessionStatus.LastUpdatedAt = s.Since.UnixMilli()
	}
	return a
}
