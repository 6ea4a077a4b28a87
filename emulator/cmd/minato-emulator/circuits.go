package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"minato/emulator/dce"
)

// modemSignal sets what a modem receives.
type modemSignal struct {
	remote
	Modem int  `arg:"" help:"Which, from 0."`
	RSSI  *int `name:"rssi" help:"dBm, -113 to -51; what is left out is as at first." placeholder:"DBM"`
	RSRP  *int `name:"rsrp" help:"dBm, -141 to -44." placeholder:"DBM"`
	RSRQ  *int `name:"rsrq" help:"dB, -20 to -3." placeholder:"DB"`
	SINR  *int `name:"sinr" help:"dB, -20 to 30." placeholder:"DB"`
}

func (c *modemSignal) Run(ctx context.Context) error {
	body := map[string]int{}
	for name, v := range map[string]*int{"rssi": c.RSSI, "rsrp": c.RSRP, "rsrq": c.RSRQ, "sinr": c.SINR} {
		if v != nil {
			body[name] = *v
		}
	}
	_, err := c.call(ctx, http.MethodPut, fmt.Sprintf("/v1/modems/%d/signal", c.Modem), body, nil)
	return err
}

// modemLines moves the circuits of a port, which a pseudo-terminal lacks.
type modemLines struct {
	remote
	Modem int    `arg:"" help:"Which, from 0."`
	Port  string `arg:"" help:"Which port: at, ppp, or a channel of a multiplexer, as at.1."`
	DTR   *bool  `name:"dtr" negatable:"" help:"The user's end; what --no-dtr does is &D's to say."`
	DCD   *bool  `name:"dcd" negatable:"" help:"--no-dcd loses the carrier of a call; only a call turns it on."`
	RI    *bool  `name:"ri" negatable:"" help:"Somebody calls, or gives up."`

	Number string `name:"number" help:"With --ri: who calls, as +CLIP and +CLCC tell it; left out, the number is withheld." placeholder:"NUMBER"`
}

func (c *modemLines) Run(ctx context.Context) error {
	path := fmt.Sprintf("/v1/modems/%d/ports/%s", c.Modem, url.PathEscape(c.Port))
	_, err := c.call(ctx, http.MethodPut, path, dce.LineChange{DTR: c.DTR, DCD: c.DCD, RI: c.RI, Number: c.Number}, nil)
	return err
}

// circuitsText is a port's circuits on one line.
func circuitsText(p dce.PortStatus) string {
	text := p.State
	for _, c := range []struct {
		name string
		on   bool
	}{{"DTR", p.DTR}, {"DCD", p.DCD}, {"RI", p.RI}} {
		state := "off"
		if c.on {
			state = "on"
		}
		text += fmt.Sprintf(", %s %s", c.name, state)
	}
	return text + fmt.Sprintf(", %d bit/s", p.Rate)
}
