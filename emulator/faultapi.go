package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"minato/emulator/fault"
)

// FaultList is what can be injected and what is.
type FaultList struct {
	Available []FaultDoc    `json:"available"`
	Active    []ActiveFault `json:"active"`
}

// FaultDoc documents a fault.
type FaultDoc struct {
	Name      string     `json:"name"`
	Doc       string     `json:"doc"`
	Momentary bool       `json:"momentary"`
	Params    []ParamDoc `json:"params"`
}

// ParamDoc documents a parameter of a fault.
type ParamDoc struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Doc     string `json:"doc"`
	Default string `json:"default"`
	Allowed string `json:"allowed"`
}

// Faults is the list while no emulator runs: nothing is active.
func Faults() FaultList {
	list := FaultList{Active: []ActiveFault{}}
	for _, f := range fault.All {
		doc := FaultDoc{Name: f.Name, Doc: f.Doc, Momentary: f.Momentary, Params: []ParamDoc{}}
		for _, p := range f.Params {
			doc.Params = append(doc.Params, ParamDoc{p.Name, p.Type, p.Doc, p.Default, p.Allowed})
		}
		list.Available = append(list.Available, doc)
	}
	return list
}

func (e *Emulator) listFaults(w http.ResponseWriter, _ *http.Request) {
	list := Faults()
	for _, m := range e.modems {
		list.Active = append(list.Active, m.activeFaults()...)
	}
	reply(w, http.StatusOK, list)
}

// which is the modem of a request: a number, or all.
type which int

func (n *which) UnmarshalJSON(b []byte) error {
	var i int
	switch {
	case string(b) == `"all"`:
		*n = AllModems
	case json.Unmarshal(b, &i) != nil || i < 0:
		return fmt.Errorf(`modem %s: must be a number from 0, or "all"`, b)
	default:
		*n = which(i)
	}
	return nil
}

// paramValues are a fault's parameters in a request. Numbers and booleans may be written as such, as in a script.
type paramValues map[string]string

func (p *paramValues) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return errors.New("params: must be an object")
	}
	*p = paramValues{}
	for name, v := range raw {
		var value any
		d := json.NewDecoder(bytes.NewReader(v))
		d.UseNumber() // 1000000 is not to become 1e+06
		if err := d.Decode(&value); err != nil {
			return err
		}
		switch value.(type) {
		case string, json.Number, bool:
			(*p)[name] = fmt.Sprint(value)
		default:
			return fmt.Errorf("params: %s: must be a text, a number or a boolean", name)
		}
	}
	return nil
}

func (e *Emulator) injectFault(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Name   string      `json:"name"`
		Modem  which       `json:"modem"`
		Params paramValues `json:"params"`
		For    string      `json:"for"`
	}
	if !decode(w, r, &req) {
		return
	}
	var d time.Duration
	if req.For != "" {
		var err error
		if d, err = time.ParseDuration(req.For); err != nil || d <= 0 {
			fail(w, http.StatusBadRequest, "bad_request", "for %q: must be a positive duration, as 30s", req.For)
			return
		}
	}
	switch err := e.InjectFor(int(req.Modem), req.Name, req.Params, d); {
	case errors.Is(err, ErrFault):
		fail(w, http.StatusConflict, "conflict", "%v", err)
	case err != nil:
		fail(w, http.StatusBadRequest, "bad_request", "%v", err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// clearFaults ends those that the query names: by modem, by name, or all.
func (e *Emulator) clearFaults(w http.ResponseWriter, r *http.Request) {
	modems := e.modems
	q := r.URL.Query()
	if n := q.Get("modem"); n != "" && n != "all" {
		i, err := strconv.Atoi(n)
		if err != nil || e.Modem(i) == nil {
			fail(w, http.StatusBadRequest, "bad_request", "modem %q: 0 to %d are there, or all", n, len(e.modems)-1)
			return
		}
		modems = modems[i : i+1]
	}
	name := q.Get("name")
	if name != "" {
		if _, err := fault.Find(name); err != nil {
			fail(w, http.StatusBadRequest, "bad_request", "%v", err)
			return
		}
	}
	for _, m := range modems {
		if name == "" {
			m.Clear()
		} else {
			m.ClearFault(name)
		}
	}
	w.WriteHeader(http.StatusNoContent)
}
