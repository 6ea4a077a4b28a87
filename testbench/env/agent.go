package env

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"minato/agent"
)

// SSHUser is who may log in to the device, with Env.SSHKey.
const SSHUser = "field"

// agentTemplate is the agent's configuration: ports, the SIM's own APN, every sample service and those of the device's host.
const agentTemplate = `modem:
  port: %q
  ppp_port: %q
network:
  apn: soracom.io
services:
  - {name: http, port: 80, target: "builtin:http"}
  - {name: https, port: 443, target: "builtin:https"}
  - {name: modbus, port: 502, target: "builtin:modbus"}
  - {name: vnc, port: 5900, target: "builtin:vnc"}
  - {name: ssh, port: 22, target: "builtin:ssh"}
%stargets:
  name: %s
  vnc_password: %q
  ssh:
    host_key_file: %q
    authorized_keys: [%q]
backoff: {min: 10ms, max: 1s}
status_socket: %q
status_port: 9111
%s`

// DeviceName is what the n-th device calls itself on its page and screen.
func DeviceName(n int) string {
	if n == 0 {
		return "testbench"
	}
	return fmt.Sprintf("testbench-%d", n)
}

// writeAgentConfig writes the n-th device's agent.yaml and gives its path.
func (e *Env) writeAgentConfig(n int, at, ppp string) (string, error) {
	name := "agent"
	if n > 0 {
		name = fmt.Sprintf("agent%d", n)
	}
	socket := filepath.Join(e.Dir, name+".sock")
	if n == 0 {
		e.Address.Status = socket
	}
	var services strings.Builder
	for _, s := range e.local {
		fmt.Fprintf(&services, "  - {name: %s, port: %d, target: %q}\n", s.Name, s.Port, "tcp://"+s.addr)
	}
	text := fmt.Sprintf(agentTemplate, at, ppp, services.String(), DeviceName(n), e.VNCPassword,
		e.hostKeyFile(), strings.TrimSpace(e.SSHKey.Authorized), socket, e.AgentMore)
	path := filepath.Join(e.Dir, name+".yaml")
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// startAgents runs the agents in this process, and waits until the devices' services are reachable.
func (e *Env) startAgents(ctx context.Context) error {
	for n := range max(e.Devices, 1) {
		path, err := e.writeAgentConfig(n, e.modems[n].at, e.modems[n].ppp)
		if err != nil {
			return err
		}
		cfg, err := agent.Load(path)
		if err != nil {
			return err
		}
		name := "agent"
		if n > 0 {
			name = fmt.Sprintf("agent %d", n)
		}
		cfg.Logger = e.log.With("part", name)
		a, err := agent.New(cfg)
		if err != nil {
			return err
		}
		if err := e.run(ctx, name, a.Ready(), a.Run); err != nil {
			return err
		}
	}
	return nil
}

// startAgentProgram runs minato-agent, or what Config.Agent says.
func (e *Env) startAgentProgram(ctx context.Context) error {
	path, err := e.writeAgentConfig(0, e.Address.AT, e.Address.PPP)
	if err != nil {
		return err
	}
	command := e.Agent
	if command == nil {
		command = []string{"minato-agent"}
	}
	last := len(command) - 1
	program, err := e.Program(command[last])
	if err != nil {
		return err
	}
	argv := append([]string{}, command[:last]...)
	if last > 0 { // an interpreter such as qemu's
		if argv[0], err = Tool(argv[0], "qemu-user-static"); err != nil {
			return err
		}
	}
	argv = append(argv, program, "run", "-c", path)
	err = e.startProgram(func(ctx context.Context) *exec.Cmd { return e.Command(ctx, argv[0], argv[1:]...) })
	if err != nil {
		return err
	}
	ctx, stop := e.Context(ctx)
	defer stop()
	if _, err := e.AwaitOnline(ctx, time.Time{}); err != nil {
		return err
	}
	return Await(ctx, "the agent's services", func() (bool, error) {
		status, err := e.AgentStatus(ctx)
		return status.State == agent.StateOnline, err
	})
}

// AgentStatus asks the agent over its socket.
func (e *Env) AgentStatus(ctx context.Context) (agent.Status, error) {
	return agent.NewClient(e.Address.Status).Status(ctx)
}
