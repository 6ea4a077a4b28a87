package env

import (
	"path/filepath"
)

// startNamespace uses the kernel's loopback of the network namespace in which this process was started (InNamespace), captured.
func (e *Env) startNamespace() error {
	if err := loopbackUp(); err != nil {
		return err
	}
	c, err := startLoopbackCapture(filepath.Join(e.Dir, "internet.pcapng"))
	if err != nil {
		return err
	}
	e.Internet = &kernel{capture: c}
	e.stops = append(e.stops, c.stop)
	return nil
}
