package dce

import (
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"minato/emulator/yamltext"
)

//go:embed personalities/*.yaml
var personalities embed.FS

// DefaultPersonality is the modem that one gets without asking for another.
const DefaultPersonality = "quectel-ec25"

// standard is what holds where nothing else is said; its facts are those of V.250, TS 27.007 and TS 27.005.
//
//go:embed standard.yaml
var standard []byte

// Personalities lists the names of those that are built in.
func Personalities() []string {
	files, _ := fs.Glob(personalities, "personalities/*.yaml") // the pattern is good
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	return names
}

// LoadPersonality gives one that is built in, by its name, or one of a file, by its path: with a slash in it, or .yaml at its end.
func LoadPersonality(name string) (*Personality, error) {
	if strings.ContainsRune(name, '/') || strings.HasSuffix(name, ".yaml") {
		return readPersonality(name)
	}
	if !slices.Contains(Personalities(), name) {
		return nil, fmt.Errorf("personality %q: not known, allowed are %s, or the path of a file", name, strings.Join(Personalities(), ", "))
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

// maxPersonality bounds a file.
const maxPersonality = 1 << 20

func readPersonality(path string) (*Personality, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading a personality: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPersonality+1))
	if err != nil {
		return nil, fmt.Errorf("reading a personality: %w", err)
	}
	if len(text) > maxPersonality {
		return nil, fmt.Errorf("personality %s: the file is longer than %d octets", path, maxPersonality)
	}
	p, err := ParsePersonality(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// ParsePersonality reads a data file. Unknown keys, facts without a source and values that nothing can use are errors.
func ParsePersonality(text []byte) (*Personality, error) { return parsePersonality(text, maxRelatives) }

// maxRelatives bounds the chain of extends.
const maxRelatives = 3

func parsePersonality(text []byte, relatives int) (*Personality, error) {
	p, err := decodePersonality(text)
	if err != nil {
		return nil, err
	}
	if err := p.adoptRelatives(relatives); err != nil {
		return nil, fmt.Errorf("personality %q: %w", p.Name, err)
	}
	if err := p.validate(); err != nil {
		return nil, fmt.Errorf("personality %q: %w", p.Name, err)
	}
	return p, nil
}

func decodePersonality(text []byte) (*Personality, error) {
	var p Personality
	if err := yamltext.Decode(text, &p); err != nil {
		return nil, fmt.Errorf("parsing a personality: %w", err)
	}
	return &p, nil
}

// adoptRelatives fills in from the relative that is named, which has the standards in it, or from the standards.
func (p *Personality) adoptRelatives(left int) error {
	if p.Extends == "" {
		base, err := decodePersonality(standard)
		if err != nil {
			return err
		}
		p.inherit(base, ofStandard)
		return nil
	}
	if left == 0 || !slices.Contains(Personalities(), p.Extends) {
		return fmt.Errorf("extends %q: allowed are %s, at most %d deep", p.Extends, strings.Join(Personalities(), ", "), maxRelatives)
	}
	text, err := personalities.ReadFile("personalities/" + p.Extends + ".yaml")
	if err != nil {
		return fmt.Errorf("reading personality %q: %w", p.Extends, err)
	}
	base, err := parsePersonality(text, left-1)
	if err != nil {
		return err
	}
	p.inherit(base, ofRelative)
	return nil
}

var (
	nameSyntax    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	commandSyntax = regexp.MustCompile(`^[+*$^%#!][A-Z0-9_/]+$`)
	basicSyntax   = regexp.MustCompile(`^[&\\\\]?[A-Z]$`)
	tacSyntax     = regexp.MustCompile(`^[0-9]{8}$`)
)
