package plc

import "fmt"

// SetPump switches the pump by hand, which takes it from the controller. It fails with ErrTankFull at the high-level mark.
func (p *Plant) SetPump(on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if on && p.state.Level >= HighLevelMark {
		return ErrTankFull
	}
	p.state.Automatic = false
	p.state.switchPump(on)
	p.publishLocked()
	return nil
}

// SetAutomatic gives the pump to the controller, or takes it away and leaves it as it is.
func (p *Plant) SetAutomatic(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Automatic = on
	p.publishLocked()
}

// SetValve opens the valve to a position in %, or fails with ErrOutOfRange.
func (p *Plant) SetValve(percent float64) error {
	return p.setPercent("valve", &p.state.Valve, percent)
}

// SetSetpoint sets the level in % that the controller holds, or fails with ErrOutOfRange.
func (p *Plant) SetSetpoint(percent float64) error {
	return p.setPercent("setpoint", &p.state.Setpoint, percent)
}

func (p *Plant) setPercent(name string, field *float64, percent float64) error {
	if !(percent >= 0 && percent <= 100) { // this form refuses NaN too
		return fmt.Errorf("setting the %s to %v %%: %w (0 to 100)", name, percent, ErrOutOfRange)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	*field = percent
	p.publishLocked()
	return nil
}

// History is the level of the last seconds in 0.1 %, oldest first, at most HistoryLength values, and the number of the second that
// follows the newest.
func (p *Plant) History() (levels []uint16, seconds int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(p.seconds, HistoryLength)
	levels = make([]uint16, n)
	for i := range levels {
		levels[i] = p.history[(p.seconds-n+i)%HistoryLength]
	}
	return levels, p.seconds
}

func (p *Plant) scratchRegister(i int) uint16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.scratch[i]
}

func (p *Plant) setScratchRegister(i int, v uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scratch[i] = v
}
