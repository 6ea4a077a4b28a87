package relay

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"minato/relay/relayapi"
)

func (r *Relay) listSIMs(c *call) (any, error) {
	sims, err := r.sims(c.Context(), c.scope())
	if err != nil {
		return nil, err
	}
	list := make([]relayapi.SIM, 0, len(sims))
	for _, s := range sims {
		list = append(list, simAnswer(s))
	}
	return page(c, list, maxPage, func(s relayapi.SIM) string { return s.SIMID })
}

func (r *Relay) getSIM(c *call) (any, error) {
	s, err := r.simByID(c, c.PathValue("sim_id"))
	if err != nil {
		return nil, err
	}
	return simAnswer(s), nil
}

// listSessionEvents gives what the directory knows of a SIM's sessions, which is the last change.
func (r *Relay) listSessionEvents(c *call) (any, error) {
	s, err := r.simByID(c, c.PathValue("sim_id"))
	if err != nil {
		return nil, err
	}
	list := []relayapi.SessionEvent{}
	if s.Since.IsZero() {
		return list, nil
	}
	e := relayapi.SessionEvent{Event: "Deleted", Time: s.Since.UnixMilli(), SIMID: s.ID, IMSI: s.IMSI, IMEI: s.IMEI, OperatorID: operatorID}
	if s.Online {
		e.Event = "Created"
	}
	if s.Addr.IsValid() {
		e.UEIPAddress = s.Addr.String()
	}
	return append(list, e), nil
}

func (r *Relay) listSubscribers(c *call) (any, error) {
	match, err := subscriberFilter(c)
	if err != nil {
		return nil, err
	}
	sims, err := r.sims(c.Context(), c.scope())
	if err != nil {
		return nil, err
	}
	list := make([]relayapi.Subscriber, 0, len(sims))
	for _, s := range sims {
		if s.IMSI != "" && match(s) {
			list = append(list, subscriberAnswer(s))
		}
	}
	const most = 100 // Napter's
	return page(c, list, most, func(s relayapi.Subscriber) string { return s.IMSI })
}

// subscriberFilter reads Napter's filters. What the relay does not know of a SIM (serial number) matches nothing; of status and speed class
// it knows one value.
func subscriberFilter(c *call) (func(SIM) bool, error) {
	v := c.URL.Query()
	name, value, mode := v.Get("tag_name"), v.Get("tag_value"), v.Get("tag_value_match_mode")
	if mode != "" && mode != "exact" && mode != "prefix" {
		return nil, badField("tag_value_match_mode", mode, `"exact" or "prefix"`)
	}
	for field, known := range map[string]string{"status_filter": simStatus, "speed_class_filter": simSpeedClass, "serial_number_filter": ""} {
		if want := v.Get(field); want != "" && !slices.Contains(strings.Split(want, "|"), known) {
			return func(SIM) bool { return false }, nil
		}
	}
	return func(s SIM) bool {
		if name == "" {
			return true
		}
		got, ok := s.allTags()[name]
		if mode == "prefix" {
			return ok && strings.HasPrefix(got, value)
		}
		return ok && got == value
	}, nil
}

func (r *Relay) getSubscriber(c *call) (any, error) {
	s, err := r.simByIMSI(c, c.PathValue("imsi"))
	if err != nil {
		return nil, err
	}
	return subscriberAnswer(s), nil
}

// sims asks the directory for what a caller may see. Its failure is a 503: trying again is right.
func (r *Relay) sims(ctx context.Context, s scope) ([]SIM, error) {
	sims, err := r.cfg.Directory.SIMs(ctx)
	if err != nil {
		r.log.Error("listing the SIMs", "error", err)
		return nil, apiErrorf(http.StatusServiceUnavailable, codeDirectory, "the list of SIMs cannot be had at the moment")
	}
	if s.all() {
		return sims, nil
	}
	inside := make([]SIM, 0, len(sims))
	for _, sim := range sims {
		if s.holds(sim) {
			inside = append(inside, sim)
		}
	}
	return inside, nil
}

func (r *Relay) simByID(c *call, id string) (SIM, error) {
	return r.findSIM(c, "simId", id, func(s SIM) string { return s.ID })
}

func (r *Relay) simByIMSI(c *call, imsi string) (SIM, error) {
	return r.findSIM(c, "imsi", imsi, func(s SIM) string { return s.IMSI })
}

func (r *Relay) findSIM(c *call, field, value string, of func(SIM) string) (SIM, error) {
	sims, err := r.sims(c.Context(), c.scope())
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

// What Napter's types say that a directory does not know.
const (
	simStatus     = "active"
	simSpeedClass = "s1.standard"
)

// allTags are the tags with the name among them, as Napter has it.
func (s SIM) allTags() map[string]string {
	tags := map[string]string{}
	maps.Copy(tags, s.Tags)
	if s.Name != "" {
		tags["name"] = s.Name
	}
	return tags
}

func simAnswer(s SIM) relayapi.SIM {
	a := relayapi.SIM{SIMID: s.ID, OperatorID: operatorID, Status: simStatus, Tags: s.allTags(), SessionStatus: sessionAnswer(s)}
	if s.ICCID != "" {
		a.ActiveProfile = s.ICCID
		p := relayapi.SIMProfile{ICCID: s.ICCID, PrimaryIMSI: s.IMSI, Subscribers: map[string]relayapi.SIMSubscriber{}}
		if s.IMSI != "" {
			p.Subscribers[s.IMSI] = relayapi.SIMSubscriber{IMSI: s.IMSI, MSISDN: s.MSISDN, Status: simStatus}
		}
		a.Profiles = map[string]relayapi.SIMProfile{s.ICCID: p}
	}
	return a
}

func subscriberAnswer(s SIM) relayapi.Subscriber {
	a := relayapi.Subscriber{
		IMSI: s.IMSI, MSISDN: s.MSISDN, ICCID: s.ICCID, SIMID: s.ID, OperatorID: operatorID, Status: simStatus,
		SpeedClass: simSpeedClass, Type: simSpeedClass, Tags: s.allTags(), SessionStatus: sessionAnswer(s),
	}
	if s.Addr.IsValid() {
		a.IPAddress = s.Addr.String()
	}
	return a
}

func sessionAnswer(s SIM) relayapi.SessionStatus {
	a := relayapi.SessionStatus{Online: s.Online, IMSI: s.IMSI, IMEI: s.IMEI}
	if s.Addr.IsValid() {
		a.UEIPAddress = s.Addr.String()
	}
	if !s.Since.IsZero() {
		a.LastUpdatedAt = s.Since.UnixMilli()
	}
	return a
}
