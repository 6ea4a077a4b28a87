package linkmode

import (
	"testing"

	"minato/agent"
	"minato/emulator"
)

// A modem whose network refuses the connection is not online, though its context is active from the attachment on.
func TestRefusedConnection(t *testing.T) {
	refusals := []struct {
		name string
		net  agent.NetworkConfig
		code agent.Code
	}{
		{"password", agent.NetworkConfig{User: "sora", Password: "sorry"}, agent.PPPAuth},
		{"APN", agent.NetworkConfig{APN: "soracom.jp"}, agent.NoContext},
	}
	for _, personality := range []string{"quectel-ec25", "simcom-sim7600", "simcom-sim7080", "ublox-lara-r6", "huawei-ms2372"} {
		for _, tt := range refusals {
			t.Run(personality+", "+tt.name, func(t *testing.T) {
				e := startEmulator(t, emulator.Config{Personality: personality})
				a, _ := startHostAgent(t, agent.Config{
					Modem: agent.ModemConfig{Port: e.Modem(0).ATPath()}, Host: agent.HostConfig{Interface: "lo"}, Probe: agent.ProbeConfig{Target: "none"}, Network: tt.net,
				})
				await(t, "the agent", func() (bool, error) {
					s := a.Status()
					return s.State == agent.StateOnline || s.Failure != nil, nil
				})
				if s := a.Status(); s.State == agent.StateOnline || s.Failure == nil || s.Failure.Code != tt.code {
					t.Errorf("%v, failure %+v, want %s", s.State, s.Failure, tt.code)
				}
				if e.Core().Subscribers()[0].Online {
					t.Error("the modem is connected")
				}
			})
		}
	}
}
