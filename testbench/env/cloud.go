package env

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"

	"minato/emulator"
	"minato/emulator/core"
)

// CloudAddr and CloudName are where Config.Cloud is in the closed network, as an operator's entry point would be.
var CloudAddr = netip.MustParseAddrPort("100.127.127.100:8888")

const CloudName = "cloud.minato.test"

// startCloud listens for what devices send there. The network begins each connection with a PROXY header, which names the device.
func (e *Env) startCloud() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("starting the cloud's service: %w", err)
	}
	e.stops = append(e.stops, e.serve(&proxyproto.Listener{Listener: l}, e.Cloud))
	e.cloud = l.Addr().String()
	for _, address := range []*string{&e.Address.Forward, &e.Address.AgentSOCKS} {
		if *address, err = FreePort(); err != nil {
			return err
		}
	}
	e.AgentMore += fmt.Sprintf("forwards: [{listen: %q, to: %q}]\nsocks: {listen: %q}\n", e.Address.Forward, CloudAddr, e.Address.AgentSOCKS)
	return nil
}

// addCloud puts it into the closed network.
func (e *Env) addCloud(cfg *emulator.Config) {
	if e.cloud != "" {
		cfg.Platform = append(cfg.Platform, core.PlatformService{Addr: CloudAddr, Protocol: core.TCP, Name: CloudName, Target: e.cloud})
	}
}
