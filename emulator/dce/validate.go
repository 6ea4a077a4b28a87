package dce

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// validate checks what the types do not, and takes the texts apart.
func (p *Personality) validate() error {
	if !nameSyntax.MatchString(p.Name) {
		return fmt.Errorf("name %q: lower-case letters, digits and hyphens are allowed", p.Name)
	}
	var bad error
	p.eachSource(func(what string, s Source) {
		switch {
		case bad != nil || s.valid():
		case s == "":
			bad = fmt.Errorf("%s: missing", what)
		default:
			bad = fmt.Errorf("%s: source %q: %s", what, s, allowedSources)
		}
	})
	if bad != nil {
		return bad
	}
	if v := p.Identity.TAC.Value; !tacSyntax.MatchString(v) {
		return fmt.Errorf("identity.tac %q: must be eight digits", v)
	}
	for _, check := range []func() error{p.validatePorts, p.validateLine, p.validateProfile, p.validatePacket, p.prepareBoot, p.prepareInfos, p.prepareFormats, p.SMS.validate, p.validateCommands} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (p *Personality) validatePorts() error {
	ports := strings.Join(p.Ports.Names.Value, " ")
	if ports != "at" && ports != "at ppp" {
		return fmt.Errorf("ports.names [%s]: [at] and [at, ppp] are allowed", ports)
	}
	for _, f := range []struct {
		name string
		list []string
	}{{"urc", p.Ports.URC.Value}, {"data", p.Ports.Data.Value}} {
		for _, u := range f.list {
			if !slices.Contains(p.Ports.Names.Value, u) {
				return fmt.Errorf("ports.%s %q: not one of ports.names", f.name, u)
			}
		}
	}
	if n := len(p.Ports.Interfaces.Value); n != len(p.Ports.Names.Value) {
		return fmt.Errorf("ports.interfaces: %d for %d ports", n, len(p.Ports.Names.Value))
	}
	if v := p.PPP.Auth.Value; v != "none" && v != "pap" && v != "chap" {
		return fmt.Errorf("ppp.auth %q: none, pap and chap are allowed", v)
	}
	c := p.CMUX
	if c.N1.Value < 1 || c.MaxN1.Value < c.N1.Value || c.MaxN1.Value > 32768 {
		return fmt.Errorf("cmux.n1 %d, max_n1 %d: 1 to 32768 in this order are allowed (TS 27.007 section 5.7)", c.N1.Value, c.MaxN1.Value)
	}
	if v := c.Channels.Value; v < 0 || v > 61 {
		return fmt.Errorf("cmux.channels %d: 0 to 61 are allowed", v)
	}
	return nil
}

func (p *Personality) validateLine() error {
	if v := p.Line.MaxLength.Value; v < 40 || v > 1<<16 {
		return fmt.Errorf("line.max_length %d: 40 to 65536 are allowed (V.250 section 5.2.1)", v)
	}
	if v := p.Line.Profiles.Value; v < 0 || v > 2 {
		return fmt.Errorf("line.profiles %d: 0 to 2 are allowed", v)
	}
	for n := range p.Line.Registers.Value {
		if r, known := registers[n]; !known || p.Line.Registers.Value[n] < r.lo || p.Line.Registers.Value[n] > r.hi {
			return fmt.Errorf("line.registers: S%d=%d is not possible", n, p.Line.Registers.Value[n])
		}
	}
	if v := p.Line.Rate.Value; !slices.Contains(p.Line.Rates.Value, v) {
		return fmt.Errorf("line.rate %d: not one of line.rates", v)
	}
	for _, f := range []struct {
		name, value string
		to          *result
	}{
		{"unknown", p.Line.Unknown.Value, &p.unknown},
		{"rate_error", p.Line.RateError.Value, &p.rateError},
	} {
		failure, err := namedResult(f.value)
		if err != nil {
			return fmt.Errorf("line.%s: %w", f.name, err)
		}
		if failure.ok() {
			return fmt.Errorf("line.%s %q: must be a failure", f.name, f.value)
		}
		*f.to = failure
	}
	return nil
}

func (p *Personality) validatePacket() error {
	for _, name := range p.Indicators.Value {
		if _, known := indicators[name]; !known {
			return fmt.Errorf("indicators %q: not known", name)
		}
	}
	if v := p.Packet.MaxCID.Value; v < 1 || v > 255 {
		return fmt.Errorf("packet.max_cid %d: 1 to 255 are allowed", v)
	}
	for _, c := range p.Packet.Contexts {
		if c.CID < 1 || c.CID > p.Packet.MaxCID.Value || !slices.Contains(pdpTypes, c.Type) {
			return fmt.Errorf("packet.contexts: cid %d, type %q: 1 to %d and %s are allowed", c.CID, c.Type, p.Packet.MaxCID.Value, strings.Join(pdpTypes, ", "))
		}
	}
	for i, f := range []Fact[string]{p.Packet.CREG, p.Packet.CGREG, p.Packet.CEREG} {
		set, err := parseNumbers(f.Value, 5)
		if err != nil {
			return fmt.Errorf("packet, %s: %w", regDomains[i], err)
		}
		p.levels[i] = set
	}
	set, err := parseNumbers(p.Packet.CFUN.Value, 127)
	if err != nil {
		return fmt.Errorf("packet.cfun: %w", err)
	}
	p.functions = set
	if p.options, err = parseOptions(p.Packet.Options.Value); err != nil {
		return err
	}
	for _, c := range p.Packet.Contexts {
		if c.Options != "" && !optionsSyntax.MatchString(c.Options) {
			return fmt.Errorf("packet.contexts: options %q: numbers are allowed, as in 0,0,0,1", c.Options)
		}
	}
	if defaults := p.Packet.Defaults.Value; !optionsSyntax.MatchString(defaults) || strings.Count(defaults, ",") < len(p.options)-1 {
		return fmt.Errorf("packet.defaults %q: a number for each of packet.options is allowed, or more", defaults)
	}
	return nil
}

// optionsSyntax is that of parameters of +CGDCONT.
var optionsSyntax = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{1,3})*$`)

// parseOptions takes "(0-2),(0,1)" apart.
func parseOptions(text string) ([]numbers, error) {
	inner, open := strings.CutPrefix(text, "(")
	inner, closed := strings.CutSuffix(inner, ")")
	if !open || !closed {
		return nil, fmt.Errorf("packet.options %q: lists in brackets are allowed, as in (0-2),(0,1)", text)
	}
	var list []numbers
	for _, one := range strings.Split(inner, "),(") {
		set, err := parseNumbers(one, 127)
		if err != nil {
			return nil, fmt.Errorf("packet.options: %w", err)
		}
		list = append(list, set)
	}
	return list, nil
}

func (p *Personality) prepareBoot() (err error) {
	for i := range p.Boot {
		s := &p.Boot[i]
		if s.text, err = parseTemplate(s.Text, knownVar); err != nil {
			return fmt.Errorf("boot: %w", err)
		}
		if s.when, err = parseCondition(s.When); err != nil {
			return fmt.Errorf("boot %q: %w", s.Text, err)
		}
		if s.Ports != "" && s.Ports != "all" {
			return fmt.Errorf("boot %q: ports %q: nothing and all are allowed", s.Text, s.Ports)
		}
	}
	return nil
}

func (p *Personality) prepareInfos() (err error) {
	p.infos = map[int][]template{}
	ati, err := parseTemplates(p.Identity.ATI.Value, knownVar)
	if err != nil {
		return fmt.Errorf("identity.ati: %w", err)
	}
	p.infos[0] = ati
	for _, i := range p.Identity.Infos {
		if i.Number < 1 || i.Number > 255 {
			return fmt.Errorf("identity.infos: number %d: 1 to 255 are allowed", i.Number)
		}
		if p.infos[i.Number], err = parseTemplates(i.Lines, knownVar); err != nil {
			return fmt.Errorf("identity.infos: %w", err)
		}
	}
	return nil
}

// validateCommands checks the commands that are data: a name once, values that can be used.
func (p *Personality) validateCommands() error {
	seen := map[string]bool{}
	once := func(where, name string) error {
		if !commandSyntax.MatchString(name) {
			return fmt.Errorf("%s: command %q: not the name of an extended command in upper case", where, name)
		}
		if seen[where+name] {
			return fmt.Errorf("%s: command %q is there twice", where, name)
		}
		seen[where+name] = true
		return nil
	}
	for _, r := range p.Replies {
		if err := once("replies", r.Command); err != nil {
			return err
		}
		if _, ok := needsByName[r.Needs]; r.Needs != "" && !ok {
			return fmt.Errorf("replies %s: needs %q: nothing, idle, card and sim are allowed", r.Command, r.Needs)
		}
		for _, f := range []struct {
			form string
			list Answers
		}{{"exec", r.Exec}, {"read", r.Read}, {"test", r.Test}, {"set", r.Set}} {
			if err := f.list.prepare("replies " + r.Command + " " + f.form); err != nil {
				return err
			}
		}
	}
	keyed := map[string]bool{}
	for i := range p.Settings {
		s := &p.Settings[i]
		if s.Key == "" || !keyed[s.Command] {
			if err := once("settings", s.Command); err != nil {
				return err
			}
			keyed[s.Command] = s.Key != ""
		} else if seen[s.Command+"="+s.Key] {
			return fmt.Errorf("settings: command %q, key %q is there twice", s.Command, s.Key)
		}
		seen[s.Command+"="+s.Key] = true
		allow, err := regexp.Compile("^(?:" + s.Allow + ")$")
		if err != nil {
			return fmt.Errorf("settings %s: allow: %w", s.Command, err)
		}
		if !allow.MatchString(s.Default) {
			return fmt.Errorf("settings %s: default %q does not match allow", s.Command, s.Default)
		}
		s.allow = allow
	}
	if err := p.checkAsked(); err != nil {
		return err
	}
	for _, o := range p.Omit {
		if o.Key != "" {
			if !keyed[o.Command] || seen[o.Command+"="+o.Key] {
				return fmt.Errorf("omit: command %q, key %q: not a key of a command that has others", o.Command, o.Key)
			}
			continue
		}
		if !commandSyntax.MatchString(o.Command) && !basicSyntax.MatchString(o.Command) || seen["replies"+o.Command] || seen["settings"+o.Command] {
			return fmt.Errorf("omit: command %q: not the name of a command that is not elsewhere in the file", o.Command)
		}
	}
	return nil
}

// replaces tells that a command is left out or answered by replies: a relative's setting of that name is not inherited then, and what
// asks it never holds.
func (p *Personality) replaces(name string) bool {
	return slices.ContainsFunc(p.Omit, func(o Omission) bool { return o.of(name, "") }) || slices.ContainsFunc(p.Replies, func(r Reply) bool { return r.Command == name })
}

// checkAsked tells that the settings which conditions ask are there.
func (p *Personality) checkAsked() error {
	var all []condition
	for _, s := range p.Boot {
		all = append(all, s.when)
	}
	for _, r := range p.Replies {
		for _, a := range slices.Concat(r.Exec, r.Read, r.Test, r.Set) {
			all = append(all, a.when)
		}
	}
	for _, c := range all {
		for _, name := range c.settings {
			if !slices.ContainsFunc(p.Settings, func(s Setting) bool { return s.Command == name && s.Key == "" }) && !p.replaces(name) {
				return fmt.Errorf("when %q: there is no setting %s", c.text, name)
			}
		}
	}
	return nil
}
