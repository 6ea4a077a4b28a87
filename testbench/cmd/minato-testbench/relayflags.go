package main

import (
	"fmt"
	"net/netip"
	"os"

	"minato/testbench/access"
)

// relayFlags are how check and connect reach a relay.
type relayFlags struct {
	Relay   string `help:"The relay's API: http://HOST:PORT or https://HOST:PORT." required:"" placeholder:"URL"`
	KeyFile string `help:"File with the relay's key, as its first start prints it, or a soracom-cli profile. Without it the key is taken from the variables MINATO_AUTH_KEY_ID and MINATO_AUTH_KEY." placeholder:"FILE"`
	CA      string `help:"PEM file of the certificates to trust rather than the computer's own: the relay's ca.pem." placeholder:"FILE"`
	SIM     string `name:"sim" help:"The device: SIM id or IMSI." required:"" placeholder:"ID"`
}

// open reads the key and checks the rest. Close what it gives.
func (f relayFlags) open() (*access.Relay, error) {
	key, err := access.ReadKey(f.KeyFile, os.Getenv)
	if err == nil {
		var r *access.Relay
		if r, err = access.New(access.Config{URL: f.Relay, Key: key, CAFile: f.CA}); err == nil {
			return r, nil
		}
	}
	return nil, &exitError{status: exitUsage, hint: "minato-testbench --help shows the options", err: err}
}

// checkSources refuses what is no range before anything is called.
func checkSources(ranges []string) error {
	for _, r := range ranges {
		if _, err := netip.ParsePrefix(r); err != nil {
			return fmt.Errorf("--source %q: want a range such as 203.0.113.0/24, or 203.0.113.7/32 for one address", r)
		}
	}
	return nil
}

// statusOf is the exit status of a problem by its class.
func statusOf(p *access.Problem) int {
	switch p.Code {
	case access.RelayUnreachable, access.UntrustedCA, "R09", "R10", "R11", "R13", "R37":
		return exitUnreachable
	case access.KeyRefused, "R12", "R38":
		return exitNotAllowed
	}
	return exitFailed
}
