// Package scenario holds the stories that prove the system: each builds the path from a modem to a client, does what a user would
// do, and checks what the user sees. A story sees only public surfaces (APIs, ports, PTYs), so that it holds for the parts in this process and for
// separate programs alike.
package scenario

import (
	"context"
	"time"

	"minato/testbench/env"
)

// Scenario is one story.
type Scenario struct {
	Name string // as given to run --scenario
	Doc  string // what it proves, in one sentence
	On   []env.Net
	// Setup changes the environment before it starts; nil: the usual one.
	Setup   func(*env.Config)
	Timeout time.Duration // 0: one minute
	Run     func(ctx context.Context, e *env.Env) error
}

// All scenarios, in the order of a first reading.
var All = []Scenario{
	linkUp,
	httpTLS,
	httpsPassthrough,
	modbusTLS,
	vncTLS,
	vncStunnel,
	vncSSHForward,
	sshPassthrough,
	sshTLSRefused,
	rdpPassthrough,
	rdpTLSRefused,
	sourceDenied,
	defaultSource,
	expiry,
	deletion,
	bulkIntegrity,
	halfClose,
	linkLoss,
	threePrograms,
	armAgent,
}

// The usual internet sides: real sockets, and the userspace one beside them, whose packets are kept.
var (
	kernel = []env.Net{env.Kernel}
	both   = []env.Net{env.Userspace, env.Kernel}
)
