package stock

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"minato/agent"
)

// agentsVariable makes this test binary a process of agents; it holds their agentsConfig.
const agentsVariable = "MINATO_STOCK_AGENTS"

// agentsConfig says on which modems of an emulator the agents of one process are.
type agentsConfig struct {
	Dir          string
	First, Count int
}

// runAgents keeps agents running until stdin ends, and writes the number of each modem to stdout as soon as it is online.
func runAgents(config string, stdin io.Reader, stdout, stderr io.Writer) (status int) {
	var cfg agentsConfig
	if err := json.Unmarshal([]byte(config), &cfg); err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var mu sync.Mutex // guards stdout, stderr and status
	var agents sync.WaitGroup
	for n := cfg.First; n < cfg.First+cfg.Count; n++ {
		dir := filepath.Join(cfg.Dir, fmt.Sprintf("modem%d", n))
		a, err := agent.New(agent.Config{
			Modem:    agent.ModemConfig{Port: filepath.Join(dir, "at"), PPPPort: filepath.Join(dir, "ppp")},
			Services: []agent.ServiceConfig{{Port: 80, Target: "builtin:http"}},
			Backoff:  agent.BackoffConfig{Min: 100 * time.Millisecond},
		})
		if err != nil {
			fmt.Fprintln(stderr, err)
			return 2
		}
		agents.Go(func() {
			if err := a.Run(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				fmt.Fprintf(stderr, "agent %d: %v\n", n, err)
				status = 1
			}
		})
		agents.Go(func() {
			select {
			case <-a.Ready():
				mu.Lock()
				defer mu.Unlock()
				fmt.Fprintln(stdout, n)
			case <-ctx.Done():
			}
		})
	}
	io.Copy(io.Discard, stdin)
	cancel()
	agents.Wait()
	return status
}
