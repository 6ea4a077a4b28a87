package dce

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed personalities/*.yaml
var personalities embed.FS

// DefaultPersonality is the modem that one gets without asking for another.
const DefaultPersonality = "quectel-ec25"

// Personalities lists the names of those that are built in.
func Personalities() []string {
	files, _ := fs.Glob(personalities, "personalities/*.yaml") // the pattern is good
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	return names
}

// LoadPersonality gives one that is built in.
func LoadPersonality(name string) (*Personality, error) {
	if !slices.Contains(Personalities(), name) {
		return nil, fmt.Errorf("personality %q: not known, allowed are %s", name, strings.Join(Personalities(), ", "))
	}
	text, err := personalities.ReadFile("personalities/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("reading personality %q: %w", name, err)
	}
	p, err := ParsePersonality(text)
	if err != nil {
		return nil, err
	}
	if p.Name != name {
		return nil, fmt.Errorf("personality %q: its file says name %q", name, p.Name)
	}
	return p, nil
}

// ParsePersonality reads a data file. Unknown keys, facts without a source and values that nothing can use are errors.
func ParsePersonality(text []byte) (*Personality, error) {
	var p Personality
	if err := yaml.UnmarshalWithOptions(text, &p, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("parsing a personality: %w", err)
	}
	if err := p.validate(); err != nil {
		return nil, fmt.Errorf("personality %q: %w", p.Name, err)
	}
	return &p, nil
}

var (
	nameSyntax    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	commandSyntax = regexp.MustCompile(`^[+*$^%#!][A-Z0-9_/]+$`)
	tacSyntax     = regexp.MustCompile(`^[0-9]{8}$`)
)

func (p *Personality) validate() error {
	if !nameSyntax.MatchString(p.Name) {
		return fmt.Errorf("name %q: lower-case letters, digits and hyphens are allowed", p.Name)
	}
	var bad error
	p.eachSource(func(what string, s Source) {
		if bad == nil && s != SourceTranscript && s != SourceManual && s != SourceInferred {
			bad = fmt.Errorf("%s: source %q: transcript, manual and inferred are allowed", what, s)
		}
	})
	if bad != nil {
		return bad
	}
	if v := p.Identity.TAC.Value; !tacSyntax.MatchString(v) {
		return fmt.Errorf("identity.tac %q: must be eight digits", v)
	}
	ports := strings.Join(p.Ports.Names.Value, " ")
	if ports != "at" && ports != "at ppp" {
		return fmt.Errorf("ports.names [%s]: [at] and [at, ppp] are allowed", ports)
	}
	for _, u := range p.Ports.URC.Value {
		if !slices.Contains(p.Ports.Names.Value, u) {
			return fmt.Errorf("ports.urc %q: not one of ports.names", u)
		}
	}
	if v := p.PPP.Auth.Value; v != "none" && v != "pap" && v != "chap" {
		return fmt.Errorf("ppp.auth %q: none, pap and chap are allowed", v)
	}
	if v := p.Line.MaxLength.Value; v < 40 || v > 1<<16 {
		return fmt.Errorf("line.max_length %d: 40 to 65536 are allowed (V.250 section 5.2.1)", v)
	}
	if v := p.Packet.MaxCID.Value; v < 1 || v > 255 {
		return fmt.Errorf("packet.max_cid %d: 1 to 255 are allowed", v)
	}
	for _, c := range p.Packet.Contexts {
		if c.CID < 1 || c.CID > p.Packet.MaxCID.Value || !slices.Contains(pdpTypes, c.Type) {
			return fmt.Errorf("packet.contexts: cid %d, type %q: 1 to %d and %s are allowed", c.CID, c.Type, p.Packet.MaxCID.Value, strings.Join(pdpTypes, ", "))
		}
	}
	for _, s := range p.Boot {
		if s.When != "" && s.When != "unlocked" {
			return fmt.Errorf("boot %q: when %q: nothing and unlocked are allowed", s.Text, s.When)
		}
	}
	if err := p.SMS.validate(); err != nil {
		return err
	}
	return p.validateCommands()
}

// validateCommands checks the commands that are data: a name once, values that can be used.
func (p *Personality) validateCommands() error {
	seen := map[string]bool{}
	once := func(where, name string) error {
		if !commandSyntax.MatchString(name) {
			return fmt.Errorf("%s: command %q: not the name of an extended command in upper case", where, name)
		}
		if seen[name] {
			return fmt.Errorf("%s: command %q is there twice", where, name)
		}
		seen[name] = true
		return nil
	}
	for _, r := range p.Replies {
		if err := once("replies", r.Command); err != nil {
			return err
		}
		if _, ok := needsByName[r.Needs]; r.Needs != "" && !ok {
			return fmt.Errorf("replies %s: needs %q: nothing, card and sim are allowed", r.Command, r.Needs)
		}
	}
	for _, s := range p.Settings {
		if err := once("settings", s.Command); err != nil {
			return err
		}
		allow, err := regexp.Compile("^(?:" + s.Allow + ")$")
		if err != nil {
			return fmt.Errorf("settings %s: allow: %w", s.Command, err)
		}
		if !allow.MatchString(s.Default) {
			return fmt.Errorf("settings %s: default %q does not match allow", s.Command, s.Default)
		}
	}
	for _, o := range p.Omit {
		if err := once("omit", o.Command); err != nil {
			return err
		}
	}
	return nil
}
