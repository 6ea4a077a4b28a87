package fault

import "minato/emulator/dce"

// WeakSignal is a modem behind concrete.
var WeakSignal = Fault{
	Name: "weak-signal",
	Doc:  "The signal is weak, and some packets are lost both ways. The modem stays registered.",
	Params: []Param{
		number("rssi", "dBm, for +CSQ", -111, dce.MinRSSI, dce.MaxRSSI),
		number("rsrp", "dBm, for +CESQ", -128, dce.MinRSRP, dce.MaxRSRP),
		number("rsrq", "dB, for +CESQ", -18, dce.MinRSRQ, dce.MaxRSRQ),
		number("sinr", "dB", -5, dce.MinSINR, dce.MaxSINR),
		number("loss", "packets that are lost, in per cent", 20, 0, 100),
	},
	Inject: func(t Target, p Params) (func(), error) {
		was := t.Signal()
		t.SetSignal(dce.Signal{RSSI: p.num("rssi"), RSRP: p.num("rsrp"), RSRQ: p.num("rsrq"), SINR: p.num("sinr")})
		restore := t.LosePackets(p.num("loss"))
		return func() { restore(); t.SetSignal(was) }, nil
	},
}
