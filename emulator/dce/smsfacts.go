package dce

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SMSFacts are the manners of the short message commands.
type SMSFacts struct {
	Storages []Storage           `yaml:"storages"`
	Default  Fact[string]        `yaml:"default"`     // +CPMS after power-on
	Receive  Fact[[]string]      `yaml:"receive"`     // the names that +CPMS takes for what is received
	First    Fact[int]           `yaml:"first_index"` // the number of a storage's first place
	Routing  Fact[string]        `yaml:"cnmi"`        // as in the reply to +CNMI=?
	Reports  Fact[string]        `yaml:"cdsi"`        // the storage that +CDSI names; status reports are in SR whatever it says
	Empty    Fact[bool]          `yaml:"empty"`       // +CMGR finds nothing in an empty place, and that is OK; else +CMS ERROR: 321
	Taken    Fact[bool]          `yaml:"taken"`       // +CMGD=? lists the places with a message in them; else all that there are
	Alpha    Fact[string]        `yaml:"alpha"`       // <alpha> of a received message that is read in text mode: no name is known
	Send     Fact[time.Duration] `yaml:"send"`        // +CMGS to its result
}

// Storage is a place for messages: SM, ME, or SR for status reports. MT is another name of ME.
type Storage struct {
	Name   string `yaml:"name"`
	Size   int    `yaml:"size"`
	Source Source `yaml:"source"`
}

// plainSMS is what a personality has that says nothing of short messages: the standard's choices, and usual sizes.
var plainSMS = SMSFacts{
	Storages: []Storage{{storageME, 255, SourceInferred}, {storageSM, 50, SourceInferred}, {storageSR, 50, SourceInferred}},
	Default:  Fact[string]{storageME, SourceInferred},
	Receive:  Fact[[]string]{[]string{storageME, storageMT, storageSM}, SourceInferred},
	First:    Fact[int]{0, SourceInferred},
	Routing:  Fact[string]{"(0-2),(0-3),(0,2),(0-2),(0,1)", SourceManual},
	Reports:  Fact[string]{storageSR, SourceManual},
	Empty:    Fact[bool]{false, SourceManual},
	Taken:    Fact[bool]{false, SourceManual},
	Alpha:    Fact[string]{"", SourceManual},
	Send:     Fact[time.Duration]{time.Second, SourceInferred},
}

func (p *Personality) sms() *SMSFacts {
	if p.SMS == nil {
		return &plainSMS
	}
	return p.SMS
}

func (f *SMSFacts) eachSource(visit func(what string, s Source)) {
	if f == nil {
		return
	}
	for _, s := range f.Storages {
		visit("sms.storages "+s.Name, s.Source)
	}
	visit("sms.default", f.Default.Source)
	visit("sms.receive", f.Receive.Source)
	visit("sms.first_index", f.First.Source)
	visit("sms.cnmi", f.Routing.Source)
	visit("sms.cdsi", f.Reports.Source)
	visit("sms.empty", f.Empty.Source)
	visit("sms.taken", f.Taken.Source)
	visit("sms.alpha", f.Alpha.Source)
	visit("sms.send", f.Send.Source)
}

func (f *SMSFacts) validate() error {
	if f == nil {
		return nil
	}
	var names []string
	for _, s := range f.Storages {
		if !slices.Contains([]string{storageSM, storageME, storageSR}, s.Name) || slices.Contains(names, s.Name) {
			return fmt.Errorf("sms.storages %q: SM, ME and SR are allowed, each once", s.Name)
		}
		if s.Size < 1 || s.Size > 1000 {
			return fmt.Errorf("sms.storages %s: size %d: 1 to 1000 are allowed", s.Name, s.Size)
		}
		names = append(names, s.Name)
	}
	if !slices.Contains(names, storageSM) {
		return fmt.Errorf("sms.storages: SM must be there, because every SIM has it")
	}
	if v := f.Default.Value; v == storageSR || !slices.Contains(names, v) {
		return fmt.Errorf("sms.default %q: must be SM or ME, and one of sms.storages", v)
	}
	for _, v := range f.Receive.Value {
		if v == storageSR || v != storageMT && !slices.Contains(names, v) {
			return fmt.Errorf("sms.receive %q: must be MT, SM or ME, and one of sms.storages", v)
		}
	}
	if !slices.Contains(f.Receive.Value, f.Default.Value) {
		return fmt.Errorf("sms.receive %q: sms.default must be one of them", f.Receive.Value)
	}
	if v := f.First.Value; v != 0 && v != 1 {
		return fmt.Errorf("sms.first_index %d: 0 and 1 are allowed", v)
	}
	ranges, err := parseRanges(f.Routing.Value)
	if err != nil || len(ranges) != 5 {
		return fmt.Errorf("sms.cnmi %q: must be five lists as in the reply to +CNMI=?", f.Routing.Value)
	}
	if slices.Contains(ranges[3], 2) && !slices.Contains(names, storageSR) {
		return fmt.Errorf("sms.cnmi %q: <ds> 2 needs a storage SR", f.Routing.Value)
	}
	if v := f.Reports.Value; !slices.Contains(names, v) {
		return fmt.Errorf("sms.cdsi %q: must be one of sms.storages", v)
	}
	return nil
}

// parseRanges reads lists of numbers in parentheses: (0-2),(0,2).
func parseRanges(s string) ([][]int, error) {
	var lists [][]int
	for _, group := range strings.SplitAfter(s, ")") {
		group = strings.TrimPrefix(group, ",")
		if group == "" {
			continue
		}
		inner, ok := strings.CutPrefix(group, "(")
		inner, ok2 := strings.CutSuffix(inner, ")")
		if !ok || !ok2 {
			return nil, fmt.Errorf("%q is no list", group)
		}
		var list []int
		for _, item := range strings.Split(inner, ",") {
			low, high, ranged := strings.Cut(item, "-")
			lo, err := strconv.ParseUint(low, 10, 7)
			if err != nil {
				return nil, fmt.Errorf("%q is no number", low)
			}
			hi := lo
			if ranged {
				if hi, err = strconv.ParseUint(high, 10, 7); err != nil || hi < lo {
					return nil, fmt.Errorf("%q is no range", item)
				}
			}
			for n := lo; n <= hi; n++ {
				list = append(list, int(n))
			}
		}
		lists = append(lists, list)
	}
	return lists, nil
}
