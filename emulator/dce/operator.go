package dce

import (
	"fmt"
	"slices"
	"strings"
)

// operatorSelection is +COPS and the lists beside it.
type operatorSelection struct {
	mode   int // 0 automatic, 1 manual, 2 deregistered
	format int // 0 long, 1 short, 2 numeric
	plmn   string

	list      int // +CPLS: 0 the user's, 1 the operator's, 2 the home list
	listForm  int // +CPOL=,<format>
	preferred map[int]string
}

// operatorCommands are about the choice of a network (TS 27.007 sections 7.3, 7.19, 7.20, 7.21).
func operatorCommands() []command {
	return []command{
		{name: "+COPS", read: readOperator, test: scanOperators, set: setOperator},
		{name: "+CPLS", read: readList, test: says("+CPLS: (0-2)"), set: setList},
		{name: "+CPOL", needs: needSIM, read: readPreferred, test: says("+CPOL: (1-20),(0-2)"), set: setPreferred},
		{name: "+COPN", exec: operatorNames, test: says()},
	}
}

func readOperator(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	sel := x.m.cops
	locals := map[string]any{"mode": sel.mode, "format": sel.format, "name": x.m.networkName(sel.format)}
	name := "+COPS"
	if !x.m.reg.stat.registered() {
		name = "+COPS-none"
	}
	x.info(x.m.formatLocked(name, nil, locals))
	return resultOK
}

// networkName is the cell's operator in a format of +COPS, in the character set of +CSCS.
func (m *Modem) networkName(format int) string {
	if format == 2 {
		return m.cell.PLMN
	}
	return toTE(m.charsetLocked(), m.cell.Operator)
}

func scanOperators(x *exchange) result {
	x.m.mu.Lock()
	radio := x.m.functions == 1 && !x.m.booting
	x.m.mu.Unlock()
	if !radio {
		return cmeError(cmeNoNetwork)
	}
	if !x.waitAbortable(x.m.personality.Delays.Scan) {
		return resultOK // V.250 section 5.6.1: a character aborted it
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	state := 1 // available
	switch {
	case x.m.reg.stat.registered():
		state = 2 // current
	case x.m.reg.stat == RegistrationDenied:
		state = 3 // forbidden
	}
	entry := x.m.formatLocked("+COPS-entry", nil, map[string]any{
		"state": state, "long": x.m.networkName(0), "short": x.m.networkName(1), "number": x.m.cell.PLMN,
	})
	x.info(x.m.formatLocked("+COPS-scan", nil, map[string]any{"list": entry}))
	return resultOK
}

// setOperator is +COPS=<mode>[,<format>[,<oper>[,<AcT>]]].
func setOperator(x *exchange, a args) result {
	mode, ok1 := a.number(0, 0, 0, 4)
	format, ok2 := a.number(1, 0, 0, 2)
	act, ok3 := a.number(3, -1, -1, 15)
	if !ok1 || !ok2 || !ok3 || len(a) > 4 || mode != 3 && mode != 0 && mode != 2 && a.str(2) == "" {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	if r, ready := x.m.sim.check(); !ready && mode != 2 && mode != 3 { // an attempt to register cannot be made
		x.m.mu.Unlock()
		return r
	}
	sel := &x.m.cops
	if a.at(1).given || mode == 3 { // it is also that of the reply to +COPS?
		sel.format = format
	}
	if mode == 3 {
		x.m.mu.Unlock()
		return resultOK
	}
	found := true
	switch mode {
	case 1, 4:
		sel.mode, sel.plmn = 1, a.str(2)
		found = strings.EqualFold(a.str(2), x.m.networkName(format)) && (act < 0 || act == x.m.personality.Packet.AcT.Value)
		if found {
			sel.plmn = x.m.cell.PLMN
		} else if mode == 4 {
			sel.mode, found = 0, true
		}
	default:
		sel.mode = mode
	}
	leave := sel.mode == 2 || !found
	x.m.reg.refused = false
	x.m.mu.Unlock()
	if leave {
		x.m.detach("another operator was selected", true)
	}
	x.m.poke()
	if !found {
		return cmeError(cmeNoNetwork)
	}
	if !leave {
		x.attach(x.m.personality.Delays.Select, true) // abortable (TS 27.007 section 7.3). The selection stands whatever comes of the attempt
	}
	return resultOK
}

func readList(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.info("+CPLS: " + string(rune('0'+x.m.cops.list)))
	return resultOK
}

func setList(x *exchange, a args) result {
	n, ok := a.number(0, 0, 0, 2)
	if !ok || len(a) > 1 {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.m.cops.list = n
	return resultOK
}

// maxPreferred is how many operators the card's file holds.
const maxPreferred = 20

func readPreferred(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	sel := &x.m.cops
	var keys []int
	for i := range sel.preferred {
		keys = append(keys, i)
	}
	slices.Sort(keys)
	for _, i := range keys {
		format, name := 2, sel.preferred[i]
		if sel.listForm != 2 && name == x.m.cell.PLMN {
			format, name = sel.listForm, x.m.networkName(sel.listForm)
		}
		x.info(formatPreferred(i, format, name))
	}
	return resultOK
}

// setPreferred is +CPOL=[<index>][,<format>[,<oper>[,...]]]: a format alone is that of the list, an index alone empties the entry.
func setPreferred(x *exchange, a args) result {
	index, ok1 := a.number(0, 0, 0, maxPreferred)
	format, ok2 := a.number(1, 2, 0, 2)
	if !ok1 || !ok2 || len(a) > 7 {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	sel := &x.m.cops
	plmn := a.str(2)
	switch {
	case index == 0 && plmn == "":
		sel.listForm = format
		return resultOK
	case len(a) == 1:
		delete(sel.preferred, index)
		return resultOK
	}
	if plmn == x.m.networkName(format) {
		plmn = x.m.cell.PLMN
	}
	if !isPLMN(plmn) {
		return cmeError(cmeIncorrectParams)
	}
	for i := 1; index == 0; i++ { // the first that is free
		if i > maxPreferred {
			return cmeError(cmeNotFound)
		}
		if sel.preferred[i] == "" {
			index = i
		}
	}
	if sel.preferred == nil {
		sel.preferred = map[int]string{}
	}
	sel.preferred[index] = plmn
	return resultOK
}

func operatorNames(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.info(`+COPN: "` + x.m.cell.PLMN + `","` + x.m.networkName(0) + `"`)
	return resultOK
}

func formatPreferred(index, format int, name string) string {
	return fmt.Sprintf(`+CPOL: %d,%d,"%s"`, index, format, name)
}
