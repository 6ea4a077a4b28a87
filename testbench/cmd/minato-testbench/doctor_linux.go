package main

import (
	"context"
	"fmt"
	"os"

	"minato/testbench/access"
	"minato/testbench/field"
)

// agentSocket is where minato-agent's own documentation puts its status socket.
const agentSocket = "/run/minato/agent.sock"

// doctor is the agent's own view, where an agent is on this computer.
func doctor(socket string) (func(context.Context) (string, []string, *access.Problem), error) {
	named := socket != ""
	if !named {
		socket = agentSocket
	}
	if _, err := os.Stat(socket); err != nil {
		if named {
			return nil, &exitError{status: exitUsage, err: fmt.Errorf("the agent's socket: %w", err), hint: "status_socket in the agent's configuration says where it is"}
		}
		return nil, nil // this is not the device
	}
	return field.Doctor(socket), nil
}
