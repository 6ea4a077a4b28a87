package emulator

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// AllModems as a step's modem means each of them.
const AllModems = -1

// Step is one fault at its time.
type Step struct {
	At     time.Duration // after the script begins
	Modem  int           // from 0, or AllModems
	Fault  string
	Params map[string]string
	For    time.Duration // when it is cleared; 0: at the end of the emulator, or never where it only happens once
}

// Script is a timetable of faults, in any order.
type Script []Step

// maxSteps bounds a script, and maxScript its file.
const (
	maxSteps  = 10_000
	maxScript = 1 << 20
)

// check tells of the first step that cannot be.
func (s Script) check(modems int) error {
	for i, step := range s {
		if err := step.check(modems); err != nil {
			return fmt.Errorf("script[%d].%w", i, err)
		}
	}
	return nil
}

// check tells first which field is wrong.
func (s Step) check(modems int) error {
	switch {
	case s.At < 0:
		return &fieldError{"at", fmt.Errorf("%v: must not be negative", s.At)}
	case s.Modem < AllModems || s.Modem >= modems:
		return &fieldError{"modem", fmt.Errorf("%d: 0 to %d are there, or all", s.Modem, modems-1)}
	case s.For < 0:
		return &fieldError{"for", fmt.Errorf("%v: must not be negative", s.For)}
	}
	if _, _, err := checkFault(s.Fault, nil, 0); err != nil {
		return &fieldError{"fault", err}
	}
	if _, _, err := checkFault(s.Fault, s.Params, 0); err != nil {
		return &fieldError{"params", err}
	}
	if _, _, err := checkFault(s.Fault, s.Params, s.For); err != nil {
		return &fieldError{"for", err}
	}
	return nil
}

// fieldError is an error with the field that it is about.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

// fileStep is a step as a file has it.
type fileStep struct {
	At     any            `yaml:"at"`
	Modem  any            `yaml:"modem"` // a number, or all; 0 when left out
	Fault  string         `yaml:"fault"`
	Params map[string]any `yaml:"params"`
	For    any            `yaml:"for"`
}

// ParseScript reads a script for that many modems. Unknown keys and values that nothing can use are errors with their position.
//
//   - {at: 10s, modem: 0, fault: silent-link, params: {lcp: true}, for: 30s}
//   - {at: 1m, modem: all, fault: reboot}
func ParseScript(text []byte, modems int) (Script, error) {
	if len(text) > maxScript {
		return nil, fmt.Errorf("parsing the script: it is longer than %d bytes", maxScript)
	}
	var steps []fileStep
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("parsing the script: it is empty")
	}
	if err := decodeYAML(text, &steps); err != nil {
		return nil, fmt.Errorf("parsing the script: %w", err)
	}
	if len(steps) > maxSteps {
		return nil, fmt.Errorf("parsing the script: %d steps: %d are allowed", len(steps), maxSteps)
	}
	var script Script
	for i, f := range steps {
		step, err := f.step()
		if err == nil {
			err = step.check(modems)
		}
		if err != nil {
			return nil, positioned(text, i, err)
		}
		script = append(script, step)
	}
	return script, nil
}

func (f fileStep) step() (Step, error) {
	s := Step{Fault: f.Fault}
	for _, d := range []struct {
		field string
		value any
		to    *time.Duration
	}{{"at", f.At, &s.At}, {"for", f.For, &s.For}} {
		if d.value == nil {
			continue
		}
		text, _ := d.value.(string)
		var err error
		if *d.to, err = time.ParseDuration(text); err != nil {
			return s, &fieldError{d.field, fmt.Errorf("%v: must be a duration, as 300ms or 1m30s", d.value)}
		}
	}
	switch n := f.Modem.(type) {
	case nil:
	case uint64:
		s.Modem = int(min(n, 1<<30))
	case string:
		if n != "all" {
			return s, &fieldError{"modem", fmt.Errorf("%q: must be a number or all", n)}
		}
		s.Modem = AllModems
	default:
		return s, &fieldError{"modem", fmt.Errorf("%v: must be a number from 0, or all", n)}
	}
	for name, value := range f.Params {
		switch value.(type) {
		case nil, map[string]any, []any:
			return s, &fieldError{"params", fmt.Errorf("%s: must be one value", name)}
		}
		if s.Params == nil {
			s.Params = map[string]string{}
		}
		s.Params[name] = fmt.Sprint(value)
	}
	return s, nil
}

// positioned puts the place of the step's field, or of the step, before an error.
func positioned(text []byte, step int, err error) error {
	var fe *fieldError
	file, perr := parser.ParseBytes(text, 0) // it was read once
	if perr != nil || !errors.As(err, &fe) {
		return err
	}
	for _, where := range []string{fmt.Sprintf("$[%d].%s", step, fe.field), fmt.Sprintf("$[%d]", step)} {
		path, perr := yaml.PathString(where)
		if perr != nil {
			continue
		}
		node, perr := path.FilterFile(file)
		if perr != nil || node == nil || node.GetToken() == nil {
			continue
		}
		at := node.GetToken().Position
		return fmt.Errorf("[%d:%d] [%d].%w", at.Line, at.Column, step, err)
	}
	return fmt.Errorf("[%d].%w", step, err)
}

// Play injects the script's faults at their times, counted from the call. It returns after the last, or when ctx ends; the faults go on
// for as long as they are to. A fault that cannot be injected as its modem stands does not end the script: such errors come
// back joined, and each is an event.
func (e *Emulator) Play(ctx context.Context, script Script) error {
	if err := script.check(len(e.modems)); err != nil {
		return err
	}
	steps := slices.Clone(script)
	slices.SortStableFunc(steps, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	began := time.Now()
	var failed []error
	for _, s := range steps {
		next := time.NewTimer(time.Until(began.Add(s.At)))
		select {
		case <-next.C:
		case <-ctx.Done():
			next.Stop()
			return errors.Join(failed...)
		}
		if err := e.InjectFor(s.Modem, s.Fault, s.Params, s.For); err != nil {
			failed = append(failed, fmt.Errorf("after %v: %w", s.At, err))
		}
	}
	return errors.Join(failed...)
}

// InjectFor injects a fault into one modem or AllModems; see Modem.InjectFor. Modems where it cannot happen do not keep it from the others.
func (e *Emulator) InjectFor(modem int, name string, params map[string]string, d time.Duration) error {
	if modem != AllModems {
		m := e.Modem(modem)
		if m == nil {
			return fmt.Errorf("modem %d: 0 to %d are there", modem, len(e.modems)-1)
		}
		return m.InjectFor(name, params, d)
	}
	if _, _, err := checkFault(name, params, d); err != nil {
		return err
	}
	var failed []error
	for _, m := range e.modems {
		if err := m.InjectFor(name, params, d); err != nil {
			failed = append(failed, fmt.Errorf("modem %d: %w", m.index, err))
		}
	}
	return errors.Join(failed...)
}

// Clear ends all faults of all modems.
func (e *Emulator) Clear() {
	for _, m := range e.modems {
		m.Clear()
	}
}

// playAlong plays the configuration's script. What cannot be injected is logged: it does not end the emulator.
func (e *Emulator) playAlong(ctx context.Context) error {
	if len(e.cfg.Script) == 0 {
		return nil
	}
	e.log.Info("the script begins", "steps", len(e.cfg.Script))
	if err := e.Play(ctx, e.cfg.Script); err != nil {
		e.log.Warn("faults of the script could not be injected", "error", err)
	}
	return nil
}
