package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/conformance.md anew")

const document = "../../docs/conformance.md"

// marker is where the part that is generated begins.
const marker = "<!-- from here on written by: go test ./test/conformance -update -->\n"

var (
	// clause finds a citation: a number in brackets, or the clause that a test
	// expects an error to name.
	clause   = regexp.MustCompile("[\\[\"]MQTT([35])-(\\d+\\.\\d+\\.\\d+-\\d+)[\\]\"]")
	number   = regexp.MustCompile(`^\d+\.\d+\.\d+-\d+$`)
	function = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

// A statement of a specification.
type statement struct {
	number string
	binds  string // "server" or "client"
	why    string // no test shows it, "" where one does
}

// specification reads the statements of version "3" or "5".
func specification(t *testing.T, version string) (list []statement) {
	t.Helper()
	why := map[string]string{}
	for _, line := range lines(t, "unshown"+version+".txt") {
		n, reason, ok := strings.Cut(line, " ")
		if !ok || why[n] != "" {
			t.Fatalf("unshown%s.txt: %q", version, line)
		}
		why[n] = reason
	}
	for _, line := range lines(t, "statements"+version+".txt") {
		n, binds, ok := strings.Cut(line, " ")
		if !ok || !number.MatchString(n) || binds != "server" && binds != "client" {
			t.Fatalf("statements%s.txt: %q", version, line)
		}
		list = append(list, statement{n, binds, why[n]})
		delete(why, n)
	}
	for n := range why {
		t.Errorf("unshown%s.txt: there is no statement %s", version, n)
	}
	return list
}

// lines are those of a file, without comments.
func lines(t *testing.T, name string) (list []string) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	return list
}

// TestEveryStatementIsShown by a test, or it is said why none can; never both.
// A citation is of a statement that exists.
func TestEveryStatementIsShown(t *testing.T) {
	cited := citations(t)
	for _, version := range []string{"3", "5"} {
		known := map[string]bool{}
		for _, s := range specification(t, version) {
			known[s.number] = true
			switch tests := cited[version][s.number]; {
			case len(tests) == 0 && s.why == "":
				t.Errorf("MQTT%s-%s: no test cites it, and unshown%s.txt does not say why", version, s.number, version)
			case len(tests) > 0 && s.why != "":
				t.Errorf("MQTT%s-%s: unshown%s.txt says %q, but %s cites it", version, s.number, version, s.why, tests[0])
			}
		}
		for n, tests := range cited[version] {
			if !known[n] {
				t.Errorf("%s cites MQTT%s-%s, which does not exist", tests[0], version, n)
			}
		}
	}
}

// A difference of MQTT 3.1 from 3.1.1.
type difference struct {
	section, what, server, test string
}

// differences reads those of MQTT 3.1, whose statements have no numbers.
func differences(t *testing.T) (list []difference) {
	t.Helper()
	for _, line := range lines(t, "differences31.txt") {
		cells := strings.Split(line, " | ")
		if len(cells) != 4 {
			t.Fatalf("differences31.txt: %q", line)
		}
		list = append(list, difference{cells[0], cells[1], cells[2], cells[3]})
	}
	return list
}

// TestEveryDifferenceOf31IsShown by a test that exists and names the section.
func TestEveryDifferenceOf31IsShown(t *testing.T) {
	for _, d := range differences(t) {
		room, name, _ := strings.Cut(d.test, ".")
		files, err := filepath.Glob(filepath.Join("../..", room, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		shown := false
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			shown = shown || bytes.Contains(raw, []byte("func "+name+"(")) && bytes.Contains(raw, []byte("[MQTT3.1 §"+d.section+"]"))
		}
		if !shown {
			t.Errorf("%s does not show [MQTT3.1 §%s]: %s", d.test, d.section, d.what)
		}
	}
}

// TestDocumentClaimsNothingMore: each test that docs/conformance.md names for a
// statement cites it. With -update the tables are written anew.
func TestDocumentClaimsNothingMore(t *testing.T) {
	written, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := bytes.Cut(written, []byte(marker))
	if !found {
		t.Fatalf("%s has no line %q", document, marker)
	}
	if *update {
		if err := os.WriteFile(document, append(append(head, marker...), tables(t)...), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	cited := citations(t)
	version := ""
	for line := range strings.Lines(string(rest)) {
		if title, ok := strings.CutPrefix(line, "## MQTT "); ok {
			version = title[:1]
		}
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) < 3 || !number.MatchString(cells[0]) || strings.HasPrefix(cells[2], unshown) {
			continue
		}
		for _, name := range strings.Split(cells[2], ", ") {
			if !slices.Contains(cited[version][cells[0]], name) {
				t.Errorf("%s says that %s shows MQTT%s-%s, which it does not cite: run go test ./test/conformance -update", document, name, version, cells[0])
			}
		}
	}
}

// unshown begins the cell of a statement that no test shows.
const unshown = "none: "

// tables says for each statement which tests show it, or why none does.
func tables(t *testing.T) []byte {
	cited := citations(t)
	var b bytes.Buffer
	for _, v := range []struct{ version, title, extra string }{
		{"5", "MQTT 5.0", ""},
		{"3", "MQTT 3.1.1", " Statements about the order of what a client sends bind a server too, by 4.6.0-6."},
	} {
		shown, server := 0, 0
		var rows bytes.Buffer
		for _, s := range specification(t, v.version) {
			tests := cited[v.version][s.number]
			cell := strings.Join(tests, ", ")
			if len(tests) == 0 {
				cell = unshown + s.why
			}
			if s.binds == "server" {
				if server++; len(tests) > 0 {
					shown++
				}
			}
			fmt.Fprintf(&rows, "| %s | %s | %s |\n", s.number, s.binds, cell)
		}
		fmt.Fprintf(&b, "\n## %s\n\n%d of the %d statements that bind a server are shown by a test; the others say why not.%s\n\n", v.title, shown, server, v.extra)
		fmt.Fprintf(&b, "| statement | binds | tests |\n|---|---|---|\n%s", rows.String())
	}
	fmt.Fprintf(&b, "\n## MQTT 3.1\n\nProtocol level 3 has no numbered statements. Where it differs from 3.1.1:\n\n")
	fmt.Fprintf(&b, "| section | MQTT 3.1 | this server | test |\n|---|---|---|---|\n")
	for _, d := range differences(t) {
		fmt.Fprintf(&b, "| §%s | %s | %s | %s |\n", d.section, d.what, d.server, d.test)
	}
	return b.Bytes()
}

// citations returns by version and statement the tests that cite it, inside or
// in the comment above.
func citations(t *testing.T) map[string]map[string][]string {
	cited := map[string]map[string][]string{"3": {}, "5": {}}
	err := filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "paho.mqtt.testing") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		room := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../../")
		starts := function.FindAllSubmatchIndex(raw, -1)
		for i, s := range starts {
			end := len(raw)
			if i+1 < len(starts) {
				end = beforeComment(raw, starts[i+1][0])
			}
			name := room + "." + string(raw[s[2]:s[3]])
			for _, m := range clause.FindAllSubmatch(raw[beforeComment(raw, s[0]):end], -1) {
				list := cited[string(m[1])]
				if n := string(m[2]); !slices.Contains(list[n], name) {
					list[n] = append(list[n], name)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cited
}

// beforeComment is where the comment above position at begins.
func beforeComment(raw []byte, at int) int {
	for at > 0 {
		line := bytes.LastIndexByte(raw[:at-1], '\n') + 1
		if !bytes.HasPrefix(raw[line:], []byte("//")) {
			return at
		}
		at = line
	}
	return at
}
