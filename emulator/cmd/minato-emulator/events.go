package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"minato/emulator"
)

type eventsCommand struct {
	remote
	Modem modemNumber `help:"Of which modem: a number from 0, or all." default:"all" placeholder:"N"`
	Type  []string    `help:"Only events of these types: boot, registration, call, ppp, session, port, fault." placeholder:"TYPE"`
	All   bool        `help:"Begin with the oldest events that are kept. Default: with what happens next."`
	JSON  bool        `help:"One JSON object a line."`
}

// Run prints events until a signal, or the end of the emulator.
func (c *eventsCommand) Run(ctx context.Context, s streams) error {
	query := url.Values{"modem": {string(c.Modem)}}
	if len(c.Type) > 0 {
		query.Set("type", strings.Join(c.Type, ","))
	}
	if c.All {
		query.Set("after", "0")
	}
	resp, err := c.request(ctx, http.MethodGet, "/v1/events?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	name := ""
	for lines.Scan() {
		line := lines.Text()
		if n, ok := strings.CutPrefix(line, "event: "); ok {
			name = n
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		if err := c.print(s, name, data); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	if err := lines.Err(); err != nil {
		return &exitError{exitUnreachable, "", fmt.Errorf("reading the emulator's events: %w", err)}
	}
	return &exitError{exitUnreachable, "", errors.New("the emulator has ended")}
}

func (c *eventsCommand) print(s streams, name, data string) error {
	if name == "lost" {
		fmt.Fprintf(s.err, "minato-emulator: events were lost: %s\n", data)
		return nil
	}
	if c.JSON {
		_, err := fmt.Fprintln(s.out, data)
		return err
	}
	var e emulator.Event
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		return fmt.Errorf("decoding an event: %w", err)
	}
	text := fmt.Sprintf("%s modem%d %s %s", e.Time.Format("15:04:05.000"), e.Modem, e.Type, e.State)
	for _, part := range []struct{ name, value string }{
		{"fault", e.Fault}, {"port", e.Port}, {"path", e.Path}, {"address", e.Address}, {"reason", e.Reason},
	} {
		if part.value != "" {
			text += fmt.Sprintf(" %s=%q", part.name, part.value)
		}
	}
	if e.CID != 0 {
		text += fmt.Sprintf(" cid=%d", e.CID)
	}
	_, err := fmt.Fprintln(s.out, text)
	return err
}
