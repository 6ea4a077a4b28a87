package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"minato/emulator/sms"
)

// simSMS sends a short message to a SIM.
type simSMS struct {
	remote
	SIM  string `arg:"" name:"simid" help:"To which SIM; see sim list."`
	From string `help:"Who sends: a number, or a name of up to 11 characters." required:"" placeholder:"N"`
	Text string `arg:"" help:"The text; a long one is sent in parts."`
}

func (c *simSMS) Run(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodPost, messagesPath(c.SIM), map[string]string{"from": c.From, "text": c.Text}, nil)
	return err
}

// simSent lists the short messages that a SIM sent.
type simSent struct {
	remote
	SIM  string `arg:"" name:"simid" help:"Which SIM; see sim list."`
	JSON bool   `help:"As the control API gives it."`
}

func (c *simSent) Run(ctx context.Context, s streams) error {
	var list []sms.SentMessage
	text, err := c.call(ctx, http.MethodGet, messagesPath(c.SIM), nil, &list)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = s.out.Write(text)
		return err
	}
	rows := [][]string{{"AT", "TO", "PARTS", "TEXT"}}
	for _, m := range list {
		content := fmt.Sprintf("%q", m.Text)
		if m.Data != "" {
			content = "octets " + m.Data
		}
		if !m.Complete {
			content += " (incomplete)"
		}
		rows = append(rows, []string{m.At.Format(time.RFC3339), m.To, fmt.Sprint(m.Parts), content})
	}
	return s.table(rows)
}

func messagesPath(sim string) string { return "/v1/sims/" + url.PathEscape(sim) + "/sms" }
