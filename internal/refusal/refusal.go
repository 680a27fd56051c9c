// Package refusal is the registry of the stable codes by which Matou says why
// something was refused, not taken or noted: for each a page in two languages
// with what it means, how it looks on the side of the device, the usual causes
// and the remedy. The pages are in docs/refusals/ and in the binary.
//
// It decides nothing: who refuses says the sentence that fits the case, with
// the field, what was received and what would be right.
package refusal

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/onenet"
)

// A Page explains a code.
type Page struct {
	Code     string `json:"code"`
	Kind     string `json:"kind"` // refusal, value, fault or note
	Title    string `json:"title"`
	TitleZH  string `json:"titleZh"`
	Device   string `json:"device"` // how it looks on the side of the device
	DeviceZH string `json:"deviceZh"`
	Cause    string `json:"cause"`
	CauseZH  string `json:"causeZh"`
	Advice   string `json:"advice"`
	AdviceZH string `json:"adviceZh"`
	Example  string `json:"example"`           // in no language: what comes → what is right, or a command
	Connack  byte   `json:"connack,omitempty"` // the return code of a refused CONNECT
	Path     string `json:"path"`              // of the page in the documentation
}

// The texts of codes: pages.txt holds whole pages, causes.txt what the texts
// of packages aliyun and onenet lack.
var (
	//go:embed pages.txt
	ownText string
	//go:embed causes.txt
	causeText string
)

// Dir is where the pages are in the documentation.
const Dir = "docs/refusals"

// dialects may stand in front of the code of a request that was refused.
var dialects = []string{"aliyun-", "onenet-", "mqtt-"}

var all = sync.OnceValue(read)

// Pages lists all pages in alphabetical order of their codes.
func Pages() []Page { return slices.Clone(all()) }

// Find returns the page of a code. A code that a dialect's name stands in front
// of, and that of an MQTT packet, may share its page with others.
func Find(code string) (Page, bool) {
	names := []string{code}
	for _, d := range dialects {
		if rest, ok := strings.CutPrefix(code, d); ok {
			names = append(names, rest)
		}
	}
	if strings.HasPrefix(code, "onenet-ota-") {
		names = append(names, strings.TrimPrefix(code, "onenet-ota-"))
	}
	if strings.HasPrefix(code, "mqtt-bad-") {
		names = append(names, "mqtt-bad")
	}
	for _, name := range names {
		if i, ok := slices.BinarySearchFunc(all(), name, func(p Page, name string) int { return strings.Compare(p.Code, name) }); ok {
			return all()[i], true
		}
	}
	return Page{}, false
}

// Path is where the page of a code is in the documentation, "" where it has
// none.
func Path(code string) string {
	if code == "" {
		return ""
	}
	p, _ := Find(code)
	return p.Path
}

func read() []Page {
	var pages []Page
	for _, block := range blocks(ownText, 8) {
		code, stage, _ := strings.Cut(block[0], " ")
		p := Page{Code: code, Title: block[1], TitleZH: block[2], Advice: block[3], AdviceZH: block[4], Cause: block[5], CauseZH: block[6], Example: block[7]}
		pages = append(pages, p.at(stage))
	}
	causes := map[string][]string{}
	for _, block := range blocks(causeText, 4) {
		causes[block[0]] = block
	}
	add := func(code, title, titleZH, advice, adviceZH, stage string, connack byte) {
		p := Page{Code: code, Title: upper(blank(title)), TitleZH: blank(titleZH), Advice: upper(advice), AdviceZH: adviceZH, Connack: connack}
		if c := cause(causes, code); c != nil {
			p.Cause, p.CauseZH, p.Example = c[1], c[2], c[3]
		}
		pages = append(pages, p.at(stage))
	}
	for _, c := range aliyun.Codes() {
		connack := (&aliyun.Diagnosis{Code: c.Code}).ReturnCode()
		add(c.Code, c.Title, c.TitleZH, c.Advice, c.AdviceZH, stageOf(c.Code), connack)
	}
	for _, c := range onenet.Codes() {
		connack, _ := (&onenet.Diagnosis{Code: c.Code}).ReturnCode()
		add(c.Code, c.Title, c.TitleZH, c.Advice, c.AdviceZH, stageOf(c.Code), connack)
	}
	slices.SortFunc(pages, func(a, b Page) int { return strings.Compare(a.Code, b.Code) })
	return pages
}

// blocks are the paragraphs of a text, of n lines each.
func blocks(text string, n int) [][]string {
	var found [][]string
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		if len(lines) != n {
			panic(fmt.Sprintf("refusal: %q has %d lines, not %d", lines[0], len(lines), n)) // our own text
		}
		found = append(found, lines)
	}
	return found
}

// cause finds the causes of a code; a mistake in a sub-device's signature has
// those of the same mistake in a login.
func cause(causes map[string][]string, code string) []string {
	if c := causes[code]; c != nil {
		return c
	}
	if rest, ok := strings.CutPrefix(code, "aliyun-sub-"); ok {
		return causes["aliyun-"+rest]
	}
	return nil
}

// verbs are those of the sentences of package aliyun.
var verbs = strings.NewReplacer("%q", "“…”", "%s", "…", "%v", "…", "%d", "…", "%[1]d", "…", "%[1]q", "“…”", "%[2]d", "…", "%[3]s", "…", "%%", "%")

// blank is a sentence without what only a case can fill in.
func blank(s string) string { return verbs.Replace(s) }

// upper begins a sentence with a capital, unless it begins with a name.
func upper(s string) string {
	for _, name := range []string{"et ", "res ", "sign ", "method ", "sasToken "} {
		if strings.HasPrefix(s, name) {
			return s
		}
	}
	_, n := utf8.DecodeRuneInString(s) // a quotation mark may come first
	return strings.ToUpper(s[:n]) + s[n:]
}
