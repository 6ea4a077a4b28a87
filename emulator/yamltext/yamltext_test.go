package yamltext

import (
	"strings"
	"testing"
)

type document struct {
	Text   string            `yaml:"text"`
	Any    any               `yaml:"any"`
	Map    map[string]string `yaml:"map"`
	List   []string          `yaml:"list"`
	Int    int               `yaml:"int"`
	Float  float64           `yaml:"float"`
	Switch bool              `yaml:"switch"`
}

// asWritten are texts that YAML takes for numbers.
var asWritten = []string{
	"001010000000001", "012345", "007", "00", "0x1234", "0o17", "0b11", "1_000", "+819012345678", "-0", "-07", "1.10", "0.50", ".5", "1.", ".inf", "-.inf", ".NaN",
	"8981100005710720466", "89811000057107204660", "440101234567890", "08", "1e5", "0", "-1", "1000000.0",
}

func TestTextStaysAsWritten(t *testing.T) {
	for _, s := range asWritten {
		for name, text := range map[string]string{
			"bare": "text: " + s, "comment": "text: " + s + " # no quotation marks", "flow": "{text: " + s + "}", "anchor": "text: &a " + s, "tag": "text: !!str " + s,
			"single": "text: '" + s + "'", "double": `text: "` + s + `"`,
		} {
			var d document
			if err := Decode([]byte(text+"\n"), &d); err != nil || d.Text != s {
				t.Errorf("%s, %q: %q, %v", name, text, d.Text, err)
			}
		}
		var d document
		if err := Decode([]byte("map: {"+s+": "+s+"}\nlist: ["+s+"]\n"), &d); err != nil || d.Map[s] != s || len(d.List) != 1 || d.List[0] != s {
			t.Errorf("%q: %q, %q, %v", s, d.Map, d.List, err)
		}
	}
}

func TestNumbersAreDecimal(t *testing.T) {
	var d document
	if err := Decode([]byte("int: 9600\nfloat: 0.50\nswitch: true\nany: 7\n"), &d); err != nil || d.Int != 9600 || d.Float != 0.5 || !d.Switch || d.Any != uint64(7) {
		t.Errorf("%+v, %v", d, err)
	}
	if err := Decode([]byte("int: 022\nfloat: 1e3\nany: 007\n"), &d); err != nil || d.Int != 22 || d.Float != 1000 || d.Any != "007" {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestErrorsHavePositions(t *testing.T) {
	for text, want := range map[string]string{"text: a\nint: 0x16\n": "[2:6]", "int: many\n": "[1:6]", "txt: 1\n": "[1:1]", "text: [": "[1:", "text: a\ntext: b\n": "[2:1]"} {
		var d document
		if err := Decode([]byte(text), &d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"", "# nothing\n", "---\n"} {
		var d document
		if err := Decode([]byte(text), &d); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
