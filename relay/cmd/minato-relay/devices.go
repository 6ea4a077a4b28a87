package main

import (
	"net/url"
	"strings"
	"time"

	"minato/relay"
)

func networkPart(f *fileConfig, dir string, c *config) (err error) {
	c.relay.AgentStatusPort = f.AgentStatusPort
	if c.relay.Directory, err = devicesPart(f, dir); err != nil {
		return err
	}
	switch n := f.Network; {
	case (n.SOCKS == "") == !n.Route:
		return badField("network", "", "one of network.socks (HOST:PORT) and network.route (true)")
	case n.Route:
		c.relay.Network = &relay.RouteNetwork{Directory: c.relay.Directory}
	default:
		c.relay.Network = relay.SOCKSNetwork{Addr: n.SOCKS}
		return hostPort("network.socks", n.SOCKS)
	}
	return nil
}

// devicesPart makes the one directory that the file names.
func devicesPart(f *fileConfig, dir string) (relay.Directory, error) {
	d := f.Devices
	named := 0
	for _, is := range []bool{d.Emulator != "", d.File != "", d.Soracom != nil} {
		if is {
			named++
		}
	}
	switch {
	case named != 1:
		return nil, badField("devices", "", "one of devices.emulator (URL), devices.file and devices.soracom")
	case d.File != "":
		return &relay.FileDirectory{Path: inDir(dir, d.File)}, nil
	case d.Soracom != nil:
		return soracomPart(f, dir)
	}
	if err := httpURL("devices.emulator", d.Emulator, "http://127.0.0.1:7070"); err != nil {
		return nil, err
	}
	return &relay.EmulatorDirectory{URL: d.Emulator}, nil
}

func soracomPart(f *fileConfig, dir string) (relay.Directory, error) {
	s := f.Devices.Soracom
	if s.AuthKeyFile == "" {
		return nil, badField("devices.soracom.auth-key-file", "", `a file of JSON with "authKeyId" and "authKey", such as ~/.soracom/default.json`)
	}
	if s.Endpoint != "" {
		if err := httpURL("devices.soracom.endpoint", s.Endpoint, relay.SoracomEndpoint); err != nil {
			return nil, err
		}
	}
	d, err := relay.NewSoracomDirectory(strings.TrimSuffix(s.Endpoint, "/"), inDir(dir, s.AuthKeyFile))
	if err != nil {
		return nil, badFile("devices.soracom.auth-key-file", err)
	}
	if s.Refresh != "" {
		if d.Refresh, err = time.ParseDuration(s.Refresh); err != nil || d.Refresh < time.Second {
			return nil, badField("devices.soracom.refresh", s.Refresh, "a duration from 1s such as 30s")
		}
	}
	return d, nil
}

func httpURL(field, value, example string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return badField(field, value, "a URL such as "+example)
	}
	return nil
}
