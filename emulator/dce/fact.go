package dce

// Fact is a value with its source.
type Fact[T any] struct {
	Value  T      `yaml:"value"`
	Source Source `yaml:"source"`
}

// unsourced marks a fact that the file gives without a source: it is not to be taken for one that is left out.
const unsourced Source = "none"

// UnmarshalYAML marks it.
func (f *Fact[T]) UnmarshalYAML(decode func(any) error) error {
	var plain struct {
		Value  T      `yaml:"value"`
		Source Source `yaml:"source"`
	}
	if err := decode(&plain); err != nil {
		return err
	}
	*f = Fact[T]{plain.Value, plain.Source}
	if f.Source == "" {
		f.Source = unsourced
	}
	return nil
}

// anyFact is a *Fact of any type.
type anyFact interface {
	source() Source
	adopt(from anyFact, as func(Source) Source)
}

func (f *Fact[T]) source() Source { return f.Source }

// adopt takes what a relative has, unless the file says it itself.
func (f *Fact[T]) adopt(from anyFact, as func(Source) Source) {
	if g := from.(*Fact[T]); f.Source == "" && g.Source != "" {
		*f = *g
		f.Source = as(g.Source)
	}
}

// namedFact is one fact and where it is in the file.
type namedFact struct {
	name string
	fact anyFact
}

// facts are all single facts, in a fixed order.
func (p *Personality) facts() []namedFact {
	return []namedFact{
		{"identity.manufacturer", &p.Identity.Manufacturer},
		{"identity.model", &p.Identity.Model},
		{"identity.revision", &p.Identity.Revision},
		{"identity.tac", &p.Identity.TAC},
		{"identity.svn", &p.Identity.SVN},
		{"identity.gcap", &p.Identity.GCAP},
		{"identity.ati", &p.Identity.ATI},
		{"ports.names", &p.Ports.Names},
		{"ports.urc", &p.Ports.URC},
		{"ports.data", &p.Ports.Data},
		{"ports.interfaces", &p.Ports.Interfaces},
		{"ports.uart", &p.Ports.UART},
		{"line.connect", &p.Line.Connect},
		{"line.cmee", &p.Line.CMEE},
		{"line.echo", &p.Line.Echo},
		{"line.x", &p.Line.X},
		{"line.circuit_c", &p.Line.CircuitC},
		{"line.circuit_d", &p.Line.CircuitD},
		{"line.registers", &p.Line.Registers},
		{"line.factory", &p.Line.Factory},
		{"line.stored", &p.Line.Stored},
		{"line.max_length", &p.Line.MaxLength},
		{"line.profiles", &p.Line.Profiles},
		{"line.rate", &p.Line.Rate},
		{"line.rates", &p.Line.Rates},
		{"line.rate_error", &p.Line.RateError},
		{"line.unknown", &p.Line.Unknown},
		{"delays.command", &p.Delays.Command},
		{"delays.cfun", &p.Delays.CFUN},
		{"delays.search", &p.Delays.Search},
		{"delays.attach", &p.Delays.Attach},
		{"delays.select", &p.Delays.Select},
		{"delays.detach", &p.Delays.Detach},
		{"delays.activate", &p.Delays.Activate},
		{"delays.dial", &p.Delays.Dial},
		{"delays.scan", &p.Delays.Scan},
		{"delays.power_off", &p.Delays.PowerOff},
		{"ppp.auth", &p.PPP.Auth},
		{"ppp.name", &p.PPP.Name},
		{"packet.cids", &p.Packet.CIDs},
		{"packet.max_cid", &p.Packet.MaxCID},
		{"packet.options", &p.Packet.Options},
		{"packet.defaults", &p.Packet.Defaults},
		{"packet.act", &p.Packet.AcT},
		{"packet.creg", &p.Packet.CREG},
		{"packet.cgreg", &p.Packet.CGREG},
		{"packet.cereg", &p.Packet.CEREG},
		{"packet.cfun", &p.Packet.CFUN},
		{"cmux.n1", &p.CMUX.N1},
		{"cmux.max_n1", &p.CMUX.MaxN1},
		{"cmux.channels", &p.CMUX.Channels},
		{"cmux.urc", &p.CMUX.URC},
		{"cmux.exit", &p.CMUX.Exit},
		{"cmux.defaults", &p.CMUX.Defaults},
		{"cmux.test", &p.CMUX.Test},
		{"indicators", &p.Indicators},
		{"quirks.early_dial", &p.Quirks.EarlyDial},
		{"quirks.cmer_dial", &p.Quirks.CMERDial},
		{"quirks.packet_call", &p.Quirks.PacketCall},
	}
}

// eachSource visits the source of every fact, of the lists too.
func (p *Personality) eachSource(visit func(what string, s Source)) {
	for _, f := range p.facts() {
		visit(f.name, f.fact.source())
	}
	p.SMS.eachSource(visit)
	for name, f := range p.Formats {
		visit("formats "+name, f.Source)
	}
	for _, i := range p.Identity.Infos {
		visit("identity.infos", i.Source)
	}
	for _, s := range p.Boot {
		visit("boot "+s.Text, s.Source)
	}
	for _, c := range p.Packet.Contexts {
		visit("packet.contexts "+c.APN, c.Source)
	}
	for _, r := range p.Replies {
		visit("replies "+r.Command, r.Source)
	}
	for _, s := range p.Settings {
		visit("settings "+s.Command, s.Source)
	}
	for _, o := range p.Omit {
		visit("omit "+o.Command, o.Source)
	}
}

// Sources counts the facts by their source.
func (p *Personality) Sources() map[Source]int {
	count := map[Source]int{SourceTranscript: 0, SourceManual: 0, SourceInferred: 0}
	p.eachSource(func(_ string, s Source) { count[s]++ })
	return count
}
