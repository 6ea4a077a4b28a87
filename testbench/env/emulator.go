package env

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"minato/emulator"
)

// startEmulator runs the emulator in this process.
func (e *Env) startEmulator(ctx context.Context) error {
	cfg := emulator.Config{Dir: filepath.Join(e.Dir, "ports"), Logger: e.log.With("part", "emulator")}
	if e.Fixed {
		cfg.Control, cfg.SOCKS = "127.0.0.1:7070", "127.0.0.1:7080"
	}
	if e.Address.Control != "" { // started again
		cfg.Control, cfg.SOCKS = e.Address.Control, e.Address.SOCKS
	}
	cfg.Modems = max(e.Devices, 1)
	e.addCloud(&cfg)
	if e.Config.Emulator != nil {
		e.Config.Emulator(&cfg)
	}
	em, err := emulator.New(cfg)
	if err != nil {
		return err
	}
	if err := e.run(ctx, "emulator", em.Ready(), em.Run); err != nil {
		return err
	}
	e.Address.Control, e.Address.SOCKS = em.ControlAddr(), em.SOCKSAddr()
	e.modems = nil
	for n := range cfg.Modems {
		e.modems = append(e.modems, modemPorts{em.Modem(n).ATPath(), em.Modem(n).PPPPath()})
	}
	e.Address.AT, e.Address.PPP = e.modems[0].at, e.modems[0].ppp
	return e.awaitEmulator(ctx)
}

// awaitEmulator waits for the control API and takes the device's SIM from it.
func (e *Env) awaitEmulator(ctx context.Context) error {
	ctx, stop := e.Context(ctx)
	defer stop()
	return Await(ctx, "the emulator's control API", func() (bool, error) {
		var err error
		e.sims, err = e.readSIMs(ctx)
		return err == nil, err
	})
}

// SIM is the device as the emulator's control API shows it.
type SIM struct {
	ID        string    `json:"simId"`
	IMSI      string    `json:"imsi"`
	Name      string    `json:"name"`
	Online    bool      `json:"online"`
	IPAddress string    `json:"ipAddress"`
	Since     time.Time `json:"since"`
}

// SIM is the device's SIM, as it was when the environment started.
func (e *Env) SIM() SIM { return e.sims[0] }

// SIMs are all devices', in their order.
func (e *Env) SIMs() []SIM { return e.sims }

// Inject starts a fault of the emulator on the device's modem.
func (e *Env) Inject(ctx context.Context, name string, params map[string]string) error {
	e.Step("fault injected", "name", name, "params", params)
	return e.control(ctx, http.MethodPost, "/v1/faults", map[string]any{"name": name, "modem": 0, "params": params}, nil)
}

// ClearFaults ends all faults.
func (e *Env) ClearFaults(ctx context.Context) error {
	return e.control(ctx, http.MethodDelete, "/v1/faults", nil, nil)
}

// Shape makes the device's radio link a kind of LTE line, such as "catM1", or one of its own such as "up=256k down=1M rtt=120ms loss=2%".
func (e *Env) Shape(ctx context.Context, shape string) error {
	e.Step("link shaped", "as", shape)
	return e.control(ctx, http.MethodPut, "/v1/sims/"+e.SIM().ID+"/shape", map[string]any{"shape": shape}, nil)
}

// ReadSIM asks the network about the device.
func (e *Env) ReadSIM(ctx context.Context) (SIM, error) {
	all, err := e.readSIMs(ctx)
	if err != nil {
		return SIM{}, err
	}
	return all[0], nil
}

func (e *Env) readSIMs(ctx context.Context) ([]SIM, error) {
	var all []SIM
	if err := e.control(ctx, http.MethodGet, "/v1/sims", nil, &all); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the emulator has no SIM")
	}
	return all, nil
}

// AwaitOnline waits until the device has a session that began after since; the zero time takes any.
func (e *Env) AwaitOnline(ctx context.Context, since time.Time) (SIM, error) {
	var sim SIM
	err := Await(ctx, "the device to be online", func() (bool, error) {
		var err error
		sim, err = e.ReadSIM(ctx)
		return sim.Online && sim.Since.After(since), err
	})
	return sim, err
}

// control calls the emulator's control API.
func (e *Env) control(ctx context.Context, method, path string, body, answer any) error {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+e.Address.Control+path, payload)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true // one connection a call: nothing idle is left at the end
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("calling the emulator: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("reading the emulator's answer: %w", err)
	}
	if resp.StatusCode >= 400 {
		return fmt.Errorf("the emulator answers %s %s with %s: %s", method, path, resp.Status, bytes.TrimSpace(b))
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(b, answer)
}
