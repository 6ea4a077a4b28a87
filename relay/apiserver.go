package relay

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/pires/go-proxyproto"
)

// serveAPI answers until ctx ends, or the store is lost, which is its error; requests under way get DrainTimeout, event streams end at once.
func (r *Relay) serveAPI(ctx context.Context, l net.Listener) (err error) {
	srv := &http.Server{
		Handler:           r.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(r.log.Handler(), slog.LevelDebug),
	}
	if len(r.cfg.TrustedProxies) > 0 {
		l = &proxyproto.Listener{Listener: l, ConnPolicy: r.proxyPolicy, ReadHeaderTimeout: r.cfg.SilenceTimeout}
	}
	served := make(chan error, 1)
	go func() { // ends by Shutdown or Close below
		if !r.cfg.APITLS {
			served <- srv.Serve(l)
			return
		}
		srv.TLSConfig = r.tlsConfig.Clone()
		served <- srv.ServeTLS(l, "", "")
	}()
	select {
	case err := <-served:
		r.events.close()
		return fmt.Errorf("serving the API: %w", err)
	case <-r.store.Lost():
		err = r.store.LostErr()
	case <-ctx.Done():
	}
	r.events.close()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(r.cfg.DrainTimeout, 0))
	defer cancel()
	if srv.Shutdown(drain) != nil {
		srv.Close()
	}
	r.console.Close() // its WebSockets, which the server no longer knows
	<-served
	r.apiUse.Lock() // Close does not wait for the requests whose connections it closed
	return err
}

// proxyPolicy asks trusted balancers for a PROXY header, and takes nobody else's.
func (r *Relay) proxyPolicy(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
	if a := addrPort(o.Upstream); r.trusts(a.Addr()) && a.Addr() != (netip.Addr{}) {
		return proxyproto.REQUIRE, nil
	}
	return proxyproto.SKIP, nil
}
