package dce

import "slices"

// inherit fills in from a relative what the file does not say. Of single facts the file's own wins; lists of commands and formats are
// joined by name; lists of other things are taken whole, if the file has none.
func (p *Personality) inherit(from *Personality, as func(Source) Source) {
	theirs := from.facts()
	for i, f := range p.facts() {
		f.fact.adopt(theirs[i].fact, as)
	}
	formats := map[string]Fact[string]{}
	for name, f := range from.Formats {
		f.Source = as(f.Source)
		formats[name] = f
	}
	for name, f := range p.Formats {
		formats[name] = f
	}
	p.Formats = formats
	if p.Boot == nil {
		for _, s := range from.Boot {
			s.Source = as(s.Source)
			p.Boot = append(p.Boot, s)
		}
	}
	if p.Identity.Infos == nil {
		for _, i := range from.Identity.Infos {
			i.Source = as(i.Source)
			p.Identity.Infos = append(p.Identity.Infos, i)
		}
	}
	if p.Packet.Contexts == nil {
		for _, c := range from.Packet.Contexts {
			c.Source = as(c.Source)
			p.Packet.Contexts = append(p.Packet.Contexts, c)
		}
	}
	if p.SMS == nil && from.SMS != nil {
		p.SMS = from.SMS.inherited(as)
	}
	p.inheritCommands(from, as)
}

// inherited is a relative's manners of short messages.
func (f *SMSFacts) inherited(as func(Source) Source) *SMSFacts {
	c := *f
	c.Storages = slices.Clone(f.Storages)
	for i := range c.Storages {
		c.Storages[i].Source = as(c.Storages[i].Source)
	}
	for _, s := range []*Source{
		&c.Default.Source, &c.Receive.Source, &c.First.Source, &c.Routing.Source, &c.Reports.Source, &c.Empty.Source, &c.Taken.Source,
		&c.Alpha.Source, &c.Send.Source,
	} {
		*s = as(*s)
	}
	return &c
}

func (p *Personality) inheritCommands(from *Personality, as func(Source) Source) {
	said := func(command, key string) bool {
		return slices.ContainsFunc(p.Replies, func(r Reply) bool { return r.Command == command && key == "" }) ||
			slices.ContainsFunc(p.Settings, func(s Setting) bool { return s.Command == command && (s.Key == key || key == "") }) ||
			slices.ContainsFunc(p.Omit, func(o Omission) bool { return o.of(command, key) })
	}
	var replies []Reply
	for _, r := range from.Replies {
		if !said(r.Command, "") {
			r.Source = as(r.Source)
			replies = append(replies, r)
		}
	}
	var settings []Setting
	for _, s := range from.Settings {
		if !said(s.Command, s.Key) {
			s.Source = as(s.Source)
			settings = append(settings, s)
		}
	}
	var omit []Omission
	for _, o := range from.Omit {
		if !said(o.Command, "") {
			o.Source = as(o.Source)
			omit = append(omit, o)
		}
	}
	p.Replies = append(p.Replies, replies...)
	p.Settings = append(p.Settings, settings...)
	p.Omit = append(p.Omit, omit...)
}

// ofRelative is what a relative's fact is worth here: what another modem was seen to do is a guess.
func ofRelative(s Source) Source {
	if s == SourceTranscript {
		return SourceInferred
	}
	return s
}

// ofStandard is what the standards' fact is worth: as much as there.
func ofStandard(s Source) Source { return s }
