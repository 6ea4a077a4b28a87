package relay

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// freshDirectory is a Directory that can also answer without its cache.
type freshDirectory interface {
	FreshSIMs(ctx context.Context) ([]SIM, error)
}

// simFinder is a Directory that can answer for one SIM, as it is now, without listing all.
type simFinder interface {
	FreshSIM(ctx context.Context, id string) (SIM, error)
}

// directoryAge is how long an answer of the emulator is used again: an API client that lists and creates asks many times a second.
const directoryAge = time.Second

// directoryBytes bounds one answer: 100,000 SIMs need about 25 MB.
const directoryBytes = 32 << 20

// EmulatorDirectory asks minato-emulator's control API. It answers from memory for a second.
type EmulatorDirectory struct {
	URL        string       // "http://127.0.0.1:7070"
	HTTPClient *http.Client // nil: one that gives up after 5 s

	mu    sync.Mutex
	sims  []SIM     // guarded by mu
	asked time.Time // guarded by mu
}

var (
	_ Directory      = (*EmulatorDirectory)(nil)
	_ freshDirectory = (*EmulatorDirectory)(nil)
)

// SIMs lists the SIMs, at most a second old.
func (d *EmulatorDirectory) SIMs(ctx context.Context) ([]SIM, error) {
	d.mu.Lock()
	sims, fresh := d.sims, time.Since(d.asked) < directoryAge
	d.mu.Unlock()
	if fresh {
		return sims, nil
	}
	return d.FreshSIMs(ctx)
}

// FreshSIMs lists the SIMs as of now.
func (d *EmulatorDirectory) FreshSIMs(ctx context.Context) ([]SIM, error) {
	sims, err := d.ask(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the emulator for its SIMs: %w", err)
	}
	d.mu.Lock()
	d.sims, d.asked = sims, time.Now()
	d.mu.Unlock()
	return sims, nil
}

func (d *EmulatorDirectory) ask(ctx context.Context) ([]SIM, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(d.URL, "/")+"/v1/sims", nil)
	if err != nil {
		return nil, err
	}
	client := d.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", req.URL, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, directoryBytes))
	if err != nil {
		return nil, err
	}
	return parseEmulatorSIMs(body)
}

// parseEmulatorSIMs reads the array of GET /v1/sims. Fields that are not known are ignored: the emulator may be newer.
func parseEmulatorSIMs(body []byte) ([]SIM, error) {
	var raw []struct {
		SIMID     string            `json:"simId"`
		IMSI      string            `json:"imsi"`
		ICCID     string            `json:"iccid"`
		IMEI      string            `json:"imei"`
		MSISDN    string            `json:"msisdn"`
		Name      string            `json:"name"`
		Tags      map[string]string `json:"tags"`
		Online    bool              `json:"online"`
		IPAddress string            `json:"ipAddress"`
		Since     time.Time         `json:"since"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, fmt.Errorf("decoding the list of SIMs: %w", err)
	}
	sims := make([]SIM, 0, len(raw))
	for i, r := range raw {
		if r.SIMID == "" {
			return nil, fmt.Errorf("decoding the list of SIMs: entry %d has no simId", i)
		}
		s := SIM{ID: r.SIMID, IMSI: r.IMSI, ICCID: r.ICCID, IMEI: r.IMEI, MSISDN: r.MSISDN, Name: r.Name, Tags: r.Tags, Online: r.Online, Since: r.Since}
		if r.IPAddress != "" {
			var err error
			if s.Addr, err = netip.ParseAddr(r.IPAddress); err != nil {
				return nil, fmt.Errorf("decoding the list of SIMs: SIM %q: ipAddress %q is not an address", r.SIMID, r.IPAddress)
			}
		}
		sims = append(sims, s)
	}
	return sims, nil
}
