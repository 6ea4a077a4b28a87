package env

import (
	"context"
	"fmt"
	"time"
)

// StopPart ends the emulator, the relay or the agent of this process, as a restart or a power cut of its machine would.
func (e *Env) StopPart(name string) error {
	stop := e.parts[name]
	if stop == nil {
		return fmt.Errorf("no part %q runs in this process", name)
	}
	e.Step("part stopped", "name", name)
	return stop()
}

// StartPart starts it again, at the same addresses and on the same state.
func (e *Env) StartPart(ctx context.Context, name string) error {
	began := time.Now()
	start := map[string]func(context.Context) error{"emulator": e.startEmulator, "relay": e.startRelay, "agent": e.startAgents}[name]
	if start == nil {
		return fmt.Errorf("there is no part %q", name)
	}
	if err := start(ctx); err != nil {
		return err
	}
	e.Step("part started again", "name", name, "after", time.Since(began).Round(time.Millisecond))
	return nil
}
