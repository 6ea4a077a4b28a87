package dce

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// phonebook is the modem's part of the phonebooks: which one is meant, and its own. The card's are files of it.
type phonebook struct {
	storage string // +CPBS
	own     []byte // "ME": records, in the card's manner
}

// phonebookSize is how many entries SM and ME have room for; ON has as many as EF_MSISDN has records.
const phonebookSize = 250

var (
	phonebooks     = []string{"SM", "ME", "ON"}
	phonebookFiles = map[string]int{"SM": 0x6f3a, "ON": 0x6f40} // EF_ADN, EF_MSISDN
)

func newPhonebook() phonebook {
	return phonebook{own: bytes.Repeat([]byte{0xff}, phonebookSize*entryRecord)}
}

// phonebookCommands are those of TS 27.007 sections 8.11 to 8.14.
func phonebookCommands() []command {
	return []command{
		{name: "+CPBS", needs: needSIM, read: readPhonebook, test: says(`+CPBS: ("` + strings.Join(phonebooks, `","`) + `")`), set: selectPhonebook},
		{name: "+CPBR", needs: needSIM, test: testPhonebook("+CPBR: (1-%d),%d,%d"), set: readEntries},
		{name: "+CPBF", needs: needSIM, test: says(fmt.Sprintf("+CPBF: %d,%d", entryDigits, entryText)), set: findEntries},
		{name: "+CPBW", needs: needSIM, test: testPhonebook("+CPBW: (1-%d),%d,(129,145),%d"), set: writeEntry},
	}
}

// recordsLocked are the records of the phonebook that +CPBS has chosen.
func (m *Modem) recordsLocked() [][]byte {
	all := m.phonebook.own
	if file, card := phonebookFiles[m.phonebook.storage]; card {
		all, _, _ = m.fileLocked(file)
	}
	return slices.Collect(slices.Chunk(all, entryRecord))
}

// keepRecordLocked replaces one of them.
func (m *Modem) keepRecordLocked(i int, record []byte) {
	file, card := phonebookFiles[m.phonebook.storage]
	if !card {
		copy(m.phonebook.own[i*entryRecord:], record)
		return
	}
	m.instructionLocked(0xdc, file, i+1, 4, len(record), record) // UPDATE RECORD
}

func readPhonebook(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	used, records := 0, x.m.recordsLocked()
	for _, r := range records {
		if parseEntry(r) != (entry{}) {
			used++
		}
	}
	x.info(fmt.Sprintf(`+CPBS: "%s",%d,%d`, x.m.phonebook.storage, used, len(records)))
	return resultOK
}

func selectPhonebook(x *exchange, a args) result {
	if !slices.Contains(phonebooks, a.str(0)) || len(a) > 1 { // none has a password
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.m.phonebook.storage = a.str(0)
	return resultOK
}

func testPhonebook(format string) handler {
	return func(x *exchange) result {
		x.m.mu.Lock()
		defer x.m.mu.Unlock()
		x.info(fmt.Sprintf(format, len(x.m.recordsLocked()), entryDigits, entryText))
		return resultOK
	}
}

// showEntry says nothing of a place that is free.
func (x *exchange) showEntry(command string, i int, e entry) {
	if e != (entry{}) {
		x.info(fmt.Sprintf(`%s: %d,"%s",%d,%s`, command, i+1, e.number, e.kind, x.quoted(e.text)))
	}
}

// readEntries is +CPBR=<index1>[,<index2>].
func readEntries(x *exchange, a args) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	records := x.m.recordsLocked()
	first, ok := a.number(0, 0, 1, len(records))
	last, okLast := a.number(1, first, first, len(records))
	switch {
	case len(a) > 2:
		return cmeError(cmeIncorrectParams)
	case !ok || !okLast:
		return cmeError(cmeInvalidIndex)
	}
	for i := first - 1; i < last; i++ {
		x.showEntry("+CPBR", i, parseEntry(records[i]))
	}
	return resultOK
}

// findEntries is +CPBF=<findtext>: the entries whose text begins so.
func findEntries(x *exchange, a args) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	text, ok := fromTE(x.m.charsetLocked(), []byte(a.str(0)))
	switch {
	case len(a) > 1 || !a.at(0).given:
		return cmeError(cmeIncorrectParams)
	case !ok:
		return cmeError(cmeInvalidText)
	}
	for i, r := range x.m.recordsLocked() {
		if e := parseEntry(r); strings.HasPrefix(e.text, text) {
			x.showEntry("+CPBF", i, e)
		}
	}
	return resultOK
}

// writeEntry is +CPBW=[<index>][,<number>[,<type>[,<text>]]]. Without an index it takes the first free place, without a number and a
// text it makes the place free.
func writeEntry(x *exchange, a args) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	records := x.m.recordsLocked()
	index, ok := a.number(0, 0, 1, len(records))
	if !a.at(0).given {
		free := func(r []byte) bool { return parseEntry(r) == entry{} }
		index, ok = slices.IndexFunc(records, free)+1, true
	}
	kind, okKind := a.number(2, numberType(a.str(1)), 129, 145)
	text, okText := fromTE(x.m.charsetLocked(), []byte(a.str(3)))
	switch {
	case len(a) > 4 || !okKind || kind != 129 && kind != 145 || !a.at(0).given && !a.at(1).given:
		return cmeError(cmeIncorrectParams)
	case !ok:
		return cmeError(cmeInvalidIndex)
	case index == 0:
		return cmeError(cmeMemoryFull)
	case !okText:
		return cmeError(cmeInvalidText)
	}
	record, wrong := entry{a.str(1), kind, text}.record()
	if wrong != 0 {
		return cmeError(wrong)
	}
	x.m.keepRecordLocked(index-1, record)
	return resultOK
}
