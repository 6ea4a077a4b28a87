// Package scenario holds the stories that prove the system: each builds the path from a modem to a client, does what a user would
// do, and checks what the user sees. A story sees only public surfaces (APIs, ports, PTYs), so that it holds for the parts in this process and for
// separate programs alike.
package scenario

import (
	"context"
	"slices"
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
	Timeout time.Duration // 0: three minutes
	Run     func(ctx context.Context, e *env.Env) error
}

// All scenarios, in the order of a first reading: the path, the TLS option for each protocol, what goes wrong and how it is told, the life of a mapping,
// the line and the parts, the other programs.
var All = slices.Concat(
	[]Scenario{linkUp, httpTLS, httpsPassthrough, modbusTLS, vncTLS, vncStunnel, vncSSHForward, sshPassthrough, sshThroughTunnel, rdpPassthrough},
	stories(plaintexts),
	[]Scenario{sshTLSRefused, rdpTLSRefused},
	stories(refusals),
	stories(brokenDevices),
	[]Scenario{sourceDenied, defaultSource, expiredRemembered, tooMany, warnings},
	[]Scenario{expiry, expiryUnderLoad, deletion, extend, oneTime, cutConnection, keyScope},
	[]Scenario{bulkIntegrity, halfClose, manyConnections, severalDevices, neighbourLost, slowLine, longIdle, deviceToCloud},
	[]Scenario{linkLoss},
	stories(recoveries),
	[]Scenario{relayRestart, networkRestart, agentRestart},
	[]Scenario{fieldCheck, connectVNC, threePrograms, armAgent, arm64Agent},
)

// stories tells each of a family.
func stories[S interface{ scenario() Scenario }](family []S) []Scenario {
	var all []Scenario
	for _, s := range family {
		all = append(all, s.scenario())
	}
	return all
}

// The usual internet sides: real sockets, and the userspace one beside them, whose packets are kept.
var (
	kernel    = []env.Net{env.Kernel}
	userspace = []env.Net{env.Userspace}
	both      = []env.Net{env.Userspace, env.Kernel}
)
