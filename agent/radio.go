package agent

import (
	"context"
	"fmt"
	"time"

	"minato/agent/modem"
	"minato/targets/panel"
)

// SignalSample is the signal at one moment.
type SignalSample struct {
	At time.Time `json:"at"`
	modem.Signal
}

// maxHistory is how many samples are kept: an hour of them.
const maxHistory = 120

// readSignal refreshes what the status says of the radio. What the modem refuses stays as it was.
func (a *Agent) readSignal(ctx context.Context, m *modem.Modem) error {
	sig, err := m.Signal(ctx)
	if err != nil {
		return err
	}
	a.update(func(s *Status) { s.addSignal(sig) })
	op, err := m.Operator(ctx)
	switch {
	case err == nil:
		a.update(func(s *Status) { s.Operator = op.Name })
	case !modem.Refused(err):
		return err
	}
	return nil
}

// addSignal notes a signal. The history is a new slice each time it is full, so that a Status that was given away stays as it is.
func (s *Status) addSignal(sig modem.Signal) {
	s.Signal = &sig
	if sig == (modem.Signal{}) {
		return
	}
	if len(s.SignalHistory) >= maxHistory {
		s.SignalHistory = append([]SignalSample(nil), s.SignalHistory[len(s.SignalHistory)-maxHistory+maxHistory/4:]...)
	}
	s.SignalHistory = append(s.SignalHistory, SignalSample{time.Now(), sig})
}

// bars are how a telephone shows what is received: the least dBm of each, from the fourth down.
var (
	barsRSRP = [panel.MaxBars]int{-90, -100, -110, modem.WeakRSRP}
	barsRSSI = [panel.MaxBars]int{-73, -83, -93, modem.WeakRSSI}
)

// panelSignal is a signal, nil where none was read, for the screen of the sample services.
func panelSignal(sig *modem.Signal) panel.Signal {
	if sig == nil {
		return panel.Signal{}
	}
	dBm, least := sig.RSRP, barsRSRP
	if dBm == nil {
		dBm, least = sig.RSSI, barsRSSI
	}
	if dBm == nil {
		return panel.Signal{}
	}
	bars := 0
	for i, l := range least {
		if *dBm >= l {
			bars = panel.MaxBars - i
			break
		}
	}
	return panel.Signal{Bars: bars, Text: fmt.Sprintf("%d dBm", *dBm)}
}
