package refusal_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/refusal"
	"github.com/matou-iot/matou/thing"
)

var update = flag.Bool("update", false, "write docs/refusals anew")

const docs = "../../docs/refusals"

func TestEveryPageIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range refusal.Pages() {
		if seen[p.Code] {
			t.Errorf("%s has two pages", p.Code)
		}
		seen[p.Code] = true
		for _, part := range []struct{ name, en, zh string }{
			{"title", p.Title, p.TitleZH}, {"device side", p.Device, p.DeviceZH}, {"cause", p.Cause, p.CauseZH}, {"advice", p.Advice, p.AdviceZH}, {"example", p.Example, p.Example},
		} {
			if part.en == "" || part.zh == "" {
				t.Errorf("%s lacks its %s", p.Code, part.name)
			}
			if part.name != "example" && (chinese(part.en) || !chinese(part.zh)) {
				t.Errorf("%s: %s in the wrong language: %q, %q", p.Code, part.name, part.en, part.zh)
			}
			if !utf8.ValidString(part.en + part.zh) {
				t.Errorf("%s: its %s is cut inside a character: %q", p.Code, part.name, part.en)
			}
			if strings.Contains(part.en+part.zh, "%!") || strings.Contains(part.en+part.zh, "%[") {
				t.Errorf("%s: a verb is left in its %s: %q", p.Code, part.name, part.en)
			}
		}
		if strings.Contains(p.Device, "20 02 00 00") {
			t.Errorf("%s refuses with a return code that admits", p.Code)
		}
	}
	if len(seen) < 200 {
		t.Errorf("%d pages only", len(seen))
	}
}

func chinese(s string) bool { return regexp.MustCompile(`\p{Han}`).MatchString(s) }

func TestPagesAreInTheDocumentation(t *testing.T) {
	want := map[string]string{"README.md": refusal.Index()}
	for _, p := range refusal.Pages() {
		want[p.Code+".md"] = p.Markdown()
	}
	if *update {
		if err := os.MkdirAll(docs, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(docs, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	there, err := os.ReadDir(docs)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if _, ok := want[f.Name()]; ok {
			continue
		}
		if *update {
			os.Remove(filepath.Join(docs, f.Name()))
			continue
		}
		t.Errorf("%s explains a code that does not exist", f.Name())
	}
	for name, text := range want {
		if raw, err := os.ReadFile(filepath.Join(docs, name)); err != nil || string(raw) != text {
			t.Errorf("%s is not as it would be written: go generate ./internal/refusal (%v)", name, err)
		}
	}
}

func TestFind(t *testing.T) {
	for code, want := range map[string]string{
		"aliyun-wrong-secret":    "aliyun-wrong-secret",
		"aliyun-shadow-version":  "shadow-version",
		"onenet-bad-tags":        "bad-tags",
		"aliyun-sub-no-session":  "sub-no-session",
		"onenet-ota-not-found":   "not-found",
		"mqtt-bad-subscribe":     "mqtt-bad",
		"mqtt-wrong-password":    "mqtt-wrong-password",
		"aliyun-sub-secret-case": "aliyun-sub-secret-case",
		"aliyun-no-such-code":    "",
		"no-such-code":           "",
		"":                       "",
	} {
		p, ok := refusal.Find(code)
		if p.Code != want || ok != (want != "") || refusal.Path(code) != p.Path {
			t.Errorf("%s: %q, %v", code, p.Code, ok)
		}
	}
}

func TestEveryMistakeOfAValueHasAPage(t *testing.T) {
	n := 0
	for m := thing.Unknown; ; m++ {
		if strings.HasPrefix(m.String(), "unknown-") { // no such mistake
			break
		}
		n++
		if _, ok := refusal.Find("value-" + m.String()); !ok {
			t.Errorf("%v has no page", m)
		}
	}
	if n != int(thing.BadTime) {
		t.Errorf("%d mistakes", n)
	}
}

// notCodes look like codes and are none.
var notCodes = map[string]bool{
	"read-only": true, "read-write": true, "write-only": true, // access
	"wrong-type": true, "out-of-range": true, "off-step": true, "not-listed": true, "too-long": true, "not-writable": true, "bad-time": true, // mistakes of values: value-…
	"timed-out":          true,                                    // a state of an upgrade
	"pre-authentication": true,                                    // a road
	"device-user":        true,                                    // a bucket
	"not-found":          true,                                    // a kind of fault, and a page
	"at-mqtt":            true, "at-ec20": true, "at-nt35e": true, // kinds of programs
}

// quiet are rooms that say nothing of devices: their words are no codes.
var quiet = []string{"internal/httpapi", "internal/store", "internal/app", "internal/floors", "internal/refusal", "internal/access", "internal/layers"}

// TestEveryCodeHasAPage reads the sources: what looks like a code in a room
// that speaks of devices has a page, and each page is of a code that some room
// can say.
func TestEveryCodeHasAPage(t *testing.T) {
	looks := regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)
	said := map[string]bool{}
	for _, root := range []string{"aliyun", "onenet", "thing", "mqtt/packet", "internal"} {
		for file, literals := range sources(t, filepath.Join("../..", root)) {
			for _, s := range literals {
				said[s] = true
				if !looks.MatchString(s) || notCodes[s] || !speaks(file) {
					continue
				}
				_, ok := refusal.Find(s)
				_, sub := refusal.Find("sub-" + s)
				_, login := refusal.Find("aliyun-sub-" + strings.TrimPrefix(s, "aliyun-"))
				_, fault := refusal.Find("mqtt-" + s)
				if !ok && !(sub && strings.Contains(file, "internal/topology")) && !login && !(fault && strings.Contains(file, "mqtt/packet")) {
					t.Errorf("%s says %q: give it a page in internal/refusal, or name it among notCodes", file, s)
				}
			}
		}
	}
	for _, p := range refusal.Pages() {
		if !said[p.Code] && !composed(said, p.Code) {
			t.Errorf("%s has a page, and nobody says it", p.Code)
		}
	}
}

func speaks(file string) bool {
	for _, q := range quiet {
		if strings.Contains(filepath.ToSlash(file), q) {
			return false
		}
	}
	return true
}

// composed reports whether a code is said in two parts.
func composed(said map[string]bool, code string) bool {
	for i := range code {
		if code[i] == '-' && said[code[:i+1]] && said[code[i+1:]] {
			return true
		}
	}
	return code == "mqtt-bad" && said["mqtt-bad-"]
}

// sources are the texts in the Go files below a directory, tests left out.
func sources(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(filepath.ToSlash(path), "storetest/") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if _, ok := n.(*ast.ImportSpec); ok {
				return false
			}
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					found[path] = append(found[path], s)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || len(found) == 0 {
		t.Fatal(root, err)
	}
	return found
}
