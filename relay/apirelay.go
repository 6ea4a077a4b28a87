package relay

import (
	"context"
	_ "embed"
	"net/http"
	"runtime/debug"
	"time"

	"minato/relay/relayapi"
)

// openAPI is the contract: tests hold every request and answer to it.
//
//go:embed openapi.yaml
var openAPI []byte

// getHealth tells what works. A relay that answers does its work; what it cannot do of it is named.
func (r *Relay) getHealth(c *call) (any, error) {
	h := relayapi.Health{Status: "ok"}
	problem := func(part string, what text) {
		h.Status = "degraded"
		h.Problems = append(h.Problems, relayapi.HealthProblem{Part: part, Message: what.in(c.lang())})
	}
	if n := r.mappings.unbound(); n > 0 {
		problem("ports", textf("other programs hold the ports of %d mappings", n))
	}
	if r.acme != nil && !r.acme.ready.Load() {
		problem("certificate", textf("there is no certificate from the ACME server yet"))
	}
	if err := r.storeAnswers(c.Context()); err != nil {
		problem("store", textf("what the relay keeps cannot be read or written: its log says why"))
	}
	if lag := r.store.AuditLag(); lag > 0 {
		problem("audit", textf("the audit log cannot be written: its oldest entry waits for %d s; is there room on the disk?", int(lag/time.Second)))
	}
	if n := r.reach.unreached(r.cfg.Clock.Now()); n >= unreachedDials {
		problem("network", textf("the closed network cannot be reached: none of the last %d dials got there; look at the relay's route, VPN, gateway or SOCKS server", n))
	}
	if _, err := r.sims(c.Context(), scope{}); err != nil {
		problem("devices", textf("the list of SIMs cannot be had at the moment"))
	}
	return h, nil
}

// storeAnswers tells in a moment whether the store can be read and written.
func (r *Relay) storeAnswers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	err := r.store.Check(ctx)
	if err != nil && context.Cause(ctx) != context.Canceled { // else the caller has gone
		r.log.Error("looking whether the store answers", "error", err)
	}
	return err
}

// getVersion tells what was built; a build outside version control has no more than "(devel)".
func (r *Relay) getVersion(*call) (any, error) {
	v := relayapi.Version{Version: "(devel)", API: "v1"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v, nil
	}
	v.Go = info.GoVersion
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		}
	}
	return v, nil
}

func (r *Relay) getOpenAPI(*call) (any, error) { return rawAnswer{"application/yaml", openAPI}, nil }

func (r *Relay) getCA(*call) (any, error) {
	if r.caPEM == nil {
		return nil, apiErrorf(http.StatusNotFound, codeNoPath, "this relay has no private CA: its certificates come from elsewhere")
	}
	return rawAnswer{"application/x-pem-file", r.caPEM}, nil
}
