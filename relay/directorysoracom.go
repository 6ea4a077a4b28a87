package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"minato/relay/relayapi"
)

// SoracomEndpoint is SORACOM's API for Japan; that for the other coverage is https://g.api.soracom.io.
const SoracomEndpoint = "https://api.soracom.io"

const (
	soracomTimeout = time.Minute      // for the whole list: SORACOM answers with 100 SIMs a page
	soracomStale   = 10 * time.Minute // how old a list is still used while the API fails
	soracomPause   = 10 * time.Second // after a failure, before it is asked again
)

// SoracomDirectory lists the SIMs of a SORACOM account, by SORACOM's own API. Its answers are remembered: the list changes seldom, and the API allows
// few calls. Whoever is about to dial asks for the one SIM as it is now. While the API fails the last list goes on, for at most 10 minutes.
type SoracomDirectory struct {
	Logger     *slog.Logger     // nil: discard
	Client     *relayapi.Client // for SORACOM, whose API the relay's is; see NewSoracomDirectory
	Refresh    time.Duration    // how old the list may be; 0: 30 s
	Now        func() time.Time // nil: time.Now
	asking     singleflight.Group
	mu         sync.Mutex
	sims       []SIM     // guarded by mu
	asked      time.Time // guarded by mu: when sims were had
	pauseUntil time.Time // guarded by mu: not asked again before
	failure    error     // guarded by mu: why
}

var (
	_ Directory = (*SoracomDirectory)(nil)
	_ simFinder = (*SoracomDirectory)(nil)
)

// NewSoracomDirectory reads the authentication key from a file that nobody but its owner may read: {"authKeyId", "authKey"} in JSON, such as the
// soracom command's ~/.soracom/default.json. Its other fields are not looked at.
func NewSoracomDirectory(endpoint, authKeyFile string) (*SoracomDirectory, error) {
	info, err := os.Stat(authKeyFile)
	if err != nil {
		return nil, fmt.Errorf("reading SORACOM's authentication key: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("SORACOM's authentication key %s may be read by others (mode %#o): chmod 600 it", authKeyFile, mode)
	}
	b, err := os.ReadFile(authKeyFile)
	if err != nil {
		return nil, fmt.Errorf("reading SORACOM's authentication key: %w", err)
	}
	var key struct {
		AuthKeyID string `json:"authKeyId"`
		AuthKey   string `json:"authKey"`
	}
	if err := json.Unmarshal(b, &key); err != nil || key.AuthKeyID == "" || key.AuthKey == "" { // the error might say the secret
		return nil, fmt.Errorf(`SORACOM's authentication key %s is not JSON with "authKeyId" and "authKey"`, authKeyFile)
	}
	if endpoint == "" {
		endpoint = SoracomEndpoint
	}
	return &SoracomDirectory{Client: &relayapi.Client{BaseURL: endpoint, AuthKeyID: key.AuthKeyID, AuthKey: key.AuthKey}}, nil
}

// SIMs lists the SIMs, at most Refresh old.
func (d *SoracomDirectory) SIMs(ctx context.Context) ([]SIM, error) {
	refresh := d.Refresh
	if refresh <= 0 {
		refresh = 30 * time.Second
	}
	now := d.now()
	d.mu.Lock()
	sims, age, wait, failure := d.sims, now.Sub(d.asked), d.pauseUntil.Sub(now), d.failure
	d.mu.Unlock()
	if sims != nil && age < refresh {
		return sims, nil
	}
	if wait <= 0 {
		// Of many who ask at the same time one call is made. It goes on when the one who began it has gone, and ends by its own timeout.
		done := d.asking.DoChan("", func() (any, error) { return d.ask(context.WithoutCancel(ctx)) })
		select {
		case answer := <-done:
			if answer.Err == nil {
				return answer.Val.([]SIM), nil
			}
			failure = answer.Err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if sims != nil && age < soracomStale {
		return sims, nil
	}
	return nil, failure
}

// ask fetches the list, and remembers it or why it could not be had.
func (d *SoracomDirectory) ask(ctx context.Context) ([]SIM, error) {
	ctx, cancel := context.WithTimeout(ctx, soracomTimeout)
	defer cancel()
	listed, err := d.Client.SIMs(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.failure = fmt.Errorf("asking SORACOM for the SIMs: %w", err)
		d.pauseUntil = d.now().Add(soracomPause)
		if d.Logger != nil {
			d.Logger.Warn("SORACOM's list of SIMs cannot be had; the last one goes on for 10 minutes", "error", err)
		}
		return nil, d.failure
	}
	sims := make([]SIM, 0, len(listed))
	for _, s := range listed {
		sims = append(sims, soracomSIM(s))
	}
	d.sims, d.asked, d.failure = sims, d.now(), nil
	return sims, nil
}

// FreshSIM asks for one SIM as it is now. ErrUnknownSIM if there is none.
func (d *SoracomDirectory) FreshSIM(ctx context.Context, id string) (SIM, error) {
	s, err := d.Client.SIM(ctx, id)
	if e := (*relayapi.Error)(nil); errors.As(err, &e) && e.Status == http.StatusNotFound {
		return SIM{}, ErrUnknownSIM
	}
	if err != nil {
		return SIM{}, fmt.Errorf("asking SORACOM for SIM %q: %w", id, err)
	}
	return soracomSIM(*s), nil
}

func (d *SoracomDirectory) now() time.Time {
	if d.Now != nil {
		return d.Now()
	}
	return time.Now()
}

// soracomSIM takes from SORACOM's Sim what a directory knows. The subscriber is that of the session, or else the active profile's first.
func soracomSIM(s relayapi.SIM) SIM {
	sim := SIM{ID: s.SIMID, ICCID: s.ActiveProfile, IMSI: s.SessionStatus.IMSI, IMEI: s.SessionStatus.IMEI, Online: s.SessionStatus.Online, Tags: map[string]string{}}
	p := s.Profiles[s.ActiveProfile]
	if sim.IMSI == "" {
		sim.IMSI = p.PrimaryIMSI
	}
	sim.MSISDN = p.Subscribers[sim.IMSI].MSISDN
	for name, value := range s.Tags {
		if name == "name" {
			sim.Name = value
		} else {
			sim.Tags[name] = value
		}
	}
	if a, err := netip.ParseAddr(s.SessionStatus.UEIPAddress); err == nil {
		sim.Addr = a
	}
	if ms := s.SessionStatus.LastUpdatedAt; ms > 0 {
		sim.Since = time.UnixMilli(ms)
	}
	return sim
}
