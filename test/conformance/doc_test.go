package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/conformance.md anew")

const document = "../../docs/conformance.md"

// marker is where the part that is generated begins.
const marker = "<!-- from here on written by: go test ./test/conformance -update -->\n"

var (
	clause   = regexp.MustCompile(`MQTT([35])-(\d+\.\d+\.\d+-\d+)`)
	function = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

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
		if len(cells) < 2 || !clause.MatchString("MQTT"+version+"-"+cells[0]) {
			continue
		}
		for _, name := range strings.Split(cells[len(cells)-1], ", ") {
			if name != "–" && !slices.Contains(cited[version][cells[0]], name) {
				t.Errorf("%s says that %s shows MQTT%s-%s, which it does not cite: run go test ./test/conformance -update", document, name, version, cells[0])
			}
		}
	}
}

// tables says for each statement which tests show it.
func tables(t *testing.T) []byte {
	cited := citations(t)
	var b bytes.Buffer
	statements, err := os.ReadFile("statements5.txt")
	if err != nil {
		t.Fatal(err)
	}
	shown, server := 0, 0
	var rows bytes.Buffer
	for line := range strings.Lines(string(statements)) {
		number, who, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		tests := cited["5"][number]
		if who == "server" {
			if server++; len(tests) > 0 {
				shown++
			}
		}
		fmt.Fprintf(&rows, "| %s | %s | %s |\n", number, who, orDash(tests))
	}
	fmt.Fprintf(&b, "\n## MQTT 5.0\n\n%d of the %d statements that bind a server, or both sides, are cited by a test. –: none cites it yet, which does not say that it is broken.\n\n", shown, server)
	fmt.Fprintf(&b, "| statement | binds | tests |\n|---|---|---|\n%s", rows.String())

	fmt.Fprintf(&b, "\n## MQTT 3.1.1\n\nThe statements that tests cite.\n\n| statement | tests |\n|---|---|\n")
	for _, number := range sorted(cited["3"]) {
		fmt.Fprintf(&b, "| %s | %s |\n", number, orDash(cited["3"][number]))
	}
	return b.Bytes()
}

func orDash(tests []string) string {
	if len(tests) == 0 {
		return "–"
	}
	return strings.Join(tests, ", ")
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

// sorted returns the statements in the order of the specification.
func sorted(list map[string][]string) []string {
	var all []string
	for n := range list {
		all = append(all, n)
	}
	parts := func(n string) (p []int) {
		for _, s := range strings.FieldsFunc(n, func(r rune) bool { return r == '.' || r == '-' }) {
			i, _ := strconv.Atoi(s)
			p = append(p, i)
		}
		return p
	}
	slices.SortFunc(all, func(a, b string) int { return slices.Compare(parts(a), parts(b)) })
	return all
}
