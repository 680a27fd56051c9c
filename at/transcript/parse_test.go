package transcript

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const example = `# joins
# the network
> AT+CSQ\r\n
@0.020s < AT+CSQ\r\r\n+CSQ: {{rssi:\d+}},99\r\n\r\nOK\r\n

! \r\n+IPD,4:\x20\x02\x00\x00
< 码头 \{{x}} \\ \t>\x20
# the end
`

func TestParse(t *testing.T) {
	got, err := Parse(example)
	if err != nil {
		t.Fatal(err)
	}
	if text := got.String(); text != strings.ReplaceAll(example, `4:\x20\x02`, `4: \x02`) {
		t.Errorf("written again:\n%s", text)
	}
	if len(got.Lines) != 4 || got.Lines[0].Comment != "# joins\n# the network\n" || got.Tail != "# the end\n" {
		t.Fatalf("%+v", got)
	}
	for i, want := range []struct {
		mark  Mark
		time  time.Duration
		bytes string
		num   int
	}{
		{Host, -1, "AT+CSQ\r\n", 3},
		{Module, 20 * time.Millisecond, "", 4},
		{Event, -1, "\r\n+IPD,4: \x02\x00\x00", 6},
		{Module, -1, "码头 {{x}} \\ \t> ", 7},
	} {
		l := got.Lines[i]
		b, ok := l.Bytes()
		if l.Mark != want.mark || l.Time != want.time || l.Number != want.num || string(b) != want.bytes || ok != (i != 1) {
			t.Errorf("line %d: %+v, bytes %q %v", i, l, b, ok)
		}
	}
	if p := got.Lines[1].Parts[1]; p.Name != "rssi" || p.Pattern != `\d+` {
		t.Errorf("placeholder %+v", p)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"AT\n":               `transcript line 1: a line begins with ">", "<" or "!" and a space, or with "#"`,
		"# x\n> a\\q\n":      `transcript line 2: \q is no escape: there are \r \n \t \\ \{ \xHH`,
		"> a\\":              `transcript line 1: \ at the end of the line: write \\`,
		"> \\x1":             `transcript line 1: \x1: two hexadecimal digits belong to \x`,
		"> \\xzz":            `transcript line 1: \xzz: two hexadecimal digits belong to \x`,
		"> {{a":              `transcript line 1: "{{" without "}}": write \{{ for the bytes themselves`,
		"> {{a b}}":          `transcript line 1: {{a b}}: a name has letters, digits and _ only`,
		"> {{}}":             `transcript line 1: {{}}: a name has letters, digits and _ only`,
		"> {{a:(}}":          "transcript line 1: placeholder a: error parsing regexp: missing closing ): `\\A(?:()\\z`",
		"@soon > a":          `transcript line 1: @soon is no time: write it like @1.250s`,
		"> ":                 `transcript line 1: nothing is said`,
		">AT":                `transcript line 1: a line begins with ">", "<" or "!" and a space, or with "#"`,
		" leading\n> hidden": `transcript line 1: a line begins with ">", "<" or "!" and a space, or with "#"`,
	} {
		_, err := Parse(text)
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v; want %s", text, err, want)
		}
		if _, is := errors.AsType[*Error](err); !is {
			t.Errorf("%q: %T is no Error", text, err)
		}
	}
}

func TestReadFileNamesIt(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.at")
	if err := os.WriteFile(name, []byte("> a\noops\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(name); err == nil || !strings.HasPrefix(err.Error(), name+":2: ") {
		t.Errorf("%v", err)
	}
	if _, err := ReadFile(name + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// FuzzParse: what was read once is written in a form that reads the same, and
// any bytes can be written.
func FuzzParse(f *testing.F) {
	f.Add(example, []byte("\x00 {{ \\ \xff\r\n "))
	f.Add("@1.5s ! {{a:x{2}}}{{b}}\\{{", []byte("{"))
	f.Fuzz(func(t *testing.T, text string, data []byte) {
		if len(data) > 0 {
			l := Line{Time: -1, Mark: Module, Parts: join(nil, data)}
			back, err := Parse(l.String())
			if err != nil || len(back.Lines) != 1 {
				t.Fatalf("%q written %q: %v", data, l, err)
			}
			if b, ok := back.Lines[0].Bytes(); string(b) != string(data) || !ok {
				t.Errorf("%q became %q", data, b)
			}
		}
		first, err := Parse(text)
		if err != nil {
			return
		}
		second, err := Parse(first.String())
		if err != nil || second.String() != first.String() || len(second.Lines) != len(first.Lines) {
			t.Errorf("%q became\n%s\nand %v\n%s", text, first, err, second)
		}
	})
}
