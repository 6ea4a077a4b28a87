package relay

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"minato/relay/yamltext"
)

// FileDirectory reads the SIMs from a YAML file, and again whenever the file changes:
//
//	sims:
//	  - simId: "8981100000000000001"
//	    imsi: "440101234567890"
//	    name: pump 1            # optional, as are iccid, imei, msisdn
//	    tags: {site: osaka}     # optional
//	    address: 10.128.0.2     # without one the SIM counts as offline
//
// It knows nothing of sessions: a SIM with an address counts as online.
type FileDirectory struct {
	Path string

	mu    sync.Mutex
	sims  []SIM          // guarded by mu
	byID  map[string]SIM // guarded by mu
	mtime time.Time      // guarded by mu
	size  int64          // guarded by mu
}

var (
	_ Directory = (*FileDirectory)(nil)
	_ simFinder = (*FileDirectory)(nil)
)

// SIMs lists the SIMs of the file.
func (d *FileDirectory) SIMs(context.Context) ([]SIM, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.lookLocked(); err != nil {
		return nil, err
	}
	return d.sims, nil
}

// FreshSIM finds one SIM of the file.
func (d *FileDirectory) FreshSIM(_ context.Context, id string) (SIM, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.lookLocked(); err != nil {
		return SIM{}, err
	}
	s, ok := d.byID[id]
	if !ok {
		return SIM{}, ErrUnknownSIM
	}
	return s, nil
}

// lookLocked reads the file if it has changed.
func (d *FileDirectory) lookLocked() error {
	info, err := os.Stat(d.Path)
	if err != nil {
		return fmt.Errorf("reading the list of SIMs: %w", err)
	}
	if d.sims == nil || !info.ModTime().Equal(d.mtime) || info.Size() != d.size {
		b, err := os.ReadFile(d.Path)
		if err != nil {
			return fmt.Errorf("reading the list of SIMs: %w", err)
		}
		sims, err := parseSIMFile(b)
		if err != nil {
			return fmt.Errorf("reading the list of SIMs in %s: %w", d.Path, err)
		}
		d.sims, d.mtime, d.size = sims, info.ModTime(), info.Size()
		d.byID = make(map[string]SIM, len(sims))
		for _, s := range sims {
			d.byID[s.ID] = s
		}
	}
	return nil
}

func parseSIMFile(b []byte) ([]SIM, error) {
	var raw struct {
		SIMs []struct {
			SIMID   string            `yaml:"simId"`
			IMSI    string            `yaml:"imsi"`
			ICCID   string            `yaml:"iccid"`
			IMEI    string            `yaml:"imei"`
			MSISDN  string            `yaml:"msisdn"`
			Name    string            `yaml:"name"`
			Address string            `yaml:"address"`
			Tags    map[string]string `yaml:"tags"`
		} `yaml:"sims"`
	}
	if err := yamltext.Decode(b, &raw); err != nil {
		return nil, err
	}
	sims := make([]SIM, 0, len(raw.SIMs))
	ids, imsis, addrs := map[string]bool{}, map[string]bool{}, map[netip.Addr]bool{}
	for i, r := range raw.SIMs {
		field := fmt.Sprintf("sims[%d]", i)
		if r.SIMID == "" {
			return nil, fmt.Errorf("%s.simId is missing: every SIM needs one", field)
		}
		if ids[r.SIMID] {
			return nil, fmt.Errorf("%s.simId %q stands twice: each SIM has its own", field, r.SIMID)
		}
		if r.IMSI != "" && imsis[r.IMSI] {
			return nil, fmt.Errorf("%s.imsi %q stands twice: each SIM has its own", field, r.IMSI)
		}
		ids[r.SIMID], imsis[r.IMSI] = true, true
		s := SIM{ID: r.SIMID, IMSI: r.IMSI, ICCID: r.ICCID, IMEI: r.IMEI, MSISDN: r.MSISDN, Name: r.Name, Tags: r.Tags}
		if r.Address != "" {
			addr, err := netip.ParseAddr(r.Address)
			if err != nil {
				return nil, fmt.Errorf("%s.address %q is not an address such as 10.128.0.2", field, r.Address)
			}
			if addrs[addr.Unmap()] { // a mapping for the one would reach the other
				return nil, fmt.Errorf("%s.address %q stands twice: each SIM has its own", field, r.Address)
			}
			addrs[addr.Unmap()] = true
			s.Addr, s.Online = addr, true
		}
		sims = append(sims, s)
	}
	return sims, nil
}
