package agent

import (
	"testing"

	"minato/agent/modem"
	"minato/targets/panel"
)

func TestPanelSignal(t *testing.T) {
	dBm := func(n int) *int { return &n }
	tests := []struct {
		name   string
		signal *modem.Signal
		want   panel.Signal
	}{
		{"not read yet", nil, panel.Signal{}},
		{"unknown", &modem.Signal{}, panel.Signal{}},
		{"good", &modem.Signal{RSRP: dBm(-85), RSSI: dBm(-110)}, panel.Signal{Bars: 4, Text: "-85 dBm"}},
		{"fair", &modem.Signal{RSRP: dBm(-101)}, panel.Signal{Bars: 2, Text: "-101 dBm"}},
		{"at the edge", &modem.Signal{RSRP: dBm(modem.WeakRSRP)}, panel.Signal{Bars: 1, Text: "-118 dBm"}},
		{"weak", &modem.Signal{RSRP: dBm(modem.WeakRSRP - 1)}, panel.Signal{Bars: 0, Text: "-119 dBm"}},
		{"strength alone", &modem.Signal{RSSI: dBm(-80)}, panel.Signal{Bars: 3, Text: "-80 dBm"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := panelSignal(tt.signal); got != tt.want {
				t.Errorf("signal = %+v, want %+v", got, tt.want)
			}
		})
	}
}
