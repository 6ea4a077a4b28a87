package plc

import (
	"math"
	"math/rand/v2"
	"time"
)

// The plant's constants. They are chosen so that a person sees it move: full in about a minute.
const (
	tankVolume    = 120.0 // l
	pumpFlow      = 3.0   // l/s at speed
	pumpTimeConst = 1.5   // s, run-up and run-down
	valveFlow     = 2.6   // l/s, fully open, full tank
	ambient       = 18.0  // °C
	pumpHeat      = 9.0   // K above ambient that a pump that never stops would reach
	heatTimeConst = 45.0  // s
	hysteresis    = 4.0   // % below the setpoint at which the controller starts the pump

	HighLevelMark = 95.0 // %: the pump trips and does not start
	LowLevelMark  = 10.0 // %
)

// advance is one explicit Euler step. Draining follows Torricelli: flow grows with the root of the level.
func (v *Values) advance(d time.Duration, noise *rand.Rand) {
	dt := d.Seconds()
	v.Uptime += d
	switch {
	case v.Pump && v.Level >= HighLevelMark:
		v.switchPump(false)
	case v.Automatic && v.Level >= v.Setpoint:
		v.switchPump(false)
	case v.Automatic && v.Level <= v.Setpoint-hysteresis && v.Level < HighLevelMark:
		v.switchPump(true)
	}
	target := 0.0
	if v.Pump {
		target = pumpFlow * (1 + 0.01*noise.NormFloat64())
	}
	v.Inflow += (target - v.Inflow) * min(1, dt/pumpTimeConst)
	if !v.Pump && v.Inflow < 0.05 { // which the screen shows as 0.0
		v.Inflow = 0
	}
	v.Outflow = valveFlow * v.Valve / 100 * math.Sqrt(max(0, v.Level)/100)
	v.Volume += v.Inflow * dt
	v.Level = min(100, max(0, v.Level+(v.Inflow-v.Outflow)*dt/tankVolume*100))

	warm := ambient + pumpHeat*v.Inflow/pumpFlow
	v.Temperature += (warm-v.Temperature)*dt/heatTimeConst + 0.01*noise.NormFloat64()
	v.HighLevel, v.LowLevel = v.Level >= HighLevelMark, v.Level <= LowLevelMark
}

func (v *Values) switchPump(on bool) {
	if on && !v.Pump {
		v.PumpStarts++
	}
	v.Pump = on
}

func tenths(x float64) uint16     { return uint16(int16(math.Round(x * 10))) }
func hundredths(x float64) uint16 { return uint16(int16(math.Round(x * 100))) }
