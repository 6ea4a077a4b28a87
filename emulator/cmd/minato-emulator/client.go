package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// remote is an emulator that runs.
type remote struct {
	Control string `help:"Address of its control API, with http:// before it or without." default:"127.0.0.1:7070" placeholder:"ADDR"`
}

// answerTime is how long the emulator may take: a reset ends calls first.
const answerTime = 15 * time.Second

// call makes a request. The answer is decoded into answer if that is not nil, and is returned as it came.
func (r remote) call(ctx context.Context, method, path string, body, answer any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	resp, err := r.request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, &exitError{exitUnreachable, "", fmt.Errorf("reading the emulator's answer: %w", err)}
	}
	if answer != nil {
		if err := json.Unmarshal(text, answer); err != nil {
			return nil, fmt.Errorf("decoding the emulator's answer: %w", err)
		}
	}
	return text, nil
}

// request makes a request that the emulator does not refuse; the answer's body is the caller's to close.
func (r remote) request(ctx context.Context, method, path string, body any) (*http.Response, error) {
	payload, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+strings.TrimSuffix(strings.TrimPrefix(r.Control, "http://"), "/")+path, bytes.NewReader(payload))
	if err != nil {
		return nil, &exitError{exitUsage, "", fmt.Errorf("--control %q: %w", r.Control, err)}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, &exitError{exitUnreachable, "start one with minato-emulator run, or name its address with --control", fmt.Errorf("calling the emulator: %w", err)}
	}
	if resp.StatusCode < 400 {
		return resp, nil
	}
	defer resp.Body.Close()
	var refusal struct {
		Code, Message string
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil || json.Unmarshal(text, &refusal) != nil || refusal.Message == "" {
		refusal.Message = resp.Status
	}
	status := exitUsage
	if resp.StatusCode == http.StatusConflict {
		status = exitFailed
	}
	return nil, &exitError{status, "", fmt.Errorf("the emulator answers: %s", refusal.Message)}
}

const maxRefusal = 64 << 10
