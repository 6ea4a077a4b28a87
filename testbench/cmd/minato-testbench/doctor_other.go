//go:build !linux

package main

import (
	"context"
	"errors"

	"minato/testbench/access"
)

const agentSocket = "none: the agent is for Linux"

func doctor(socket string) (func(context.Context) (string, []string, *access.Problem), error) {
	if socket != "" {
		return nil, &exitError{status: exitUsage, err: errors.New("--agent is for the device itself, which runs Linux"), hint: "leave it out"}
	}
	return nil, nil
}
