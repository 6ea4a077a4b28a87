package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"minato/relay/splice"
)

// A gateway is a local port whose connections go into the closed network: to one place, or to where a SOCKS5 client says. It
// outlives links; while none is up, its connections are reset.
type gateway struct {
	listen string
	to     string // "": the client says
	dial   func(ctx context.Context, address string) (net.Conn, error)
	log    *slog.Logger
	report func(error) // the port is open, or why not

	places
}

// GatewayStatus is one forward, or the SOCKS5 port.
type GatewayStatus struct {
	Listen string `json:"listen"`
	To     string `json:"to"` // "socks5" where the client says
	Up     bool   `json:"up"`
	Error  string `json:"error,omitempty"`
	Active int64  `json:"active"`
	Total  uint64 `json:"total"`

	Refused uint64 `json:"refused"` // over the limit
}

// socksShown stands for the place that the client says.
const socksShown = "socks5"

// gatewayPause is how long a port that cannot be opened rests.
const gatewayPause = 5 * time.Second

// run serves until ctx ends. A port that another program has is tried again, and told of once for each reason.
func (g *gateway) run(ctx context.Context) {
	told := ""
	for ctx.Err() == nil {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", g.listen)
		if err == nil {
			g.report(nil)
			told = ""
			err = g.serve(ctx, l)
		}
		if ctx.Err() != nil {
			return
		}
		g.report(err)
		if told != err.Error() {
			told = err.Error()
			g.log.Warn(codeNames[ServiceDown], "code", ServiceDown, "forward", g.listen, "error", err)
		}
		pauseUntil(ctx, gatewayPause)
	}
}

func (g *gateway) serve(ctx context.Context, l net.Listener) error {
	var copying sync.WaitGroup
	defer copying.Wait()
	defer l.Close()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		client, err := l.Accept()
		if err != nil {
			return fmt.Errorf("accepting on %s: %w", g.listen, err)
		}
		if !g.take(client) {
			continue
		}
		copying.Go(func() { // ends with the connection or ctx
			defer g.leave()
			g.handle(ctx, client)
		})
	}
}

func (g *gateway) handle(ctx context.Context, client net.Conn) {
	stop := context.AfterFunc(ctx, func() { client.SetDeadline(time.Unix(1, 0)) })
	to, err := g.to, error(nil)
	if to == "" {
		client.SetDeadline(time.Now().Add(socksTimeout))
		to, err = socksRequest(client)
		if ctx.Err() == nil {
			client.SetDeadline(time.Time{})
		}
	}
	var remote net.Conn
	if err == nil {
		remote, err = g.dial(ctx, to)
		if g.to == "" {
			if werr := socksReply(client, err); err == nil && werr != nil {
				remote.Close()
				err = werr
			}
		}
	}
	stop()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			g.log.Debug("forward failed", "listen", g.listen, "to", to, "error", err)
		}
		if g.to == "" {
			client.Close() // the reply said why
		} else {
			reset(client)
		}
		return
	}
	splice.New(client, remote, splice.Config{CloseTimeout: localCloseTimeout}).Run(ctx)
}

// prepareGateways makes what the configuration lists.
func (a *Agent) prepareGateways() {
	add := func(listen, to string, limit int) {
		g := &gateway{listen: listen, to: to, dial: a.dialClosed, log: a.log, places: newPlaces(limit, a.log.With("forward", listen))}
		i := len(a.gateways)
		shown := to
		if to == "" {
			shown = socksShown
		}
		a.status.Forwards = append(a.status.Forwards, GatewayStatus{Listen: listen, To: shown})
		g.report = func(err error) {
			a.update(func(s *Status) {
				st := &s.Forwards[i]
				if st.Up, st.Error = err == nil, ""; err != nil {
					st.Error = err.Error()
				}
			})
		}
		a.gateways = append(a.gateways, g)
	}
	for _, f := range a.cfg.Forwards {
		add(f.Listen, f.To, f.MaxConnections)
	}
	if a.cfg.SOCKS.Listen != "" {
		add(a.cfg.SOCKS.Listen, "", a.cfg.SOCKS.MaxConnections)
	}
}
