package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A tutorial is a page of docs/tutorials as its reader would follow it: what
// to do and what to see, in order.
//
//	```console           typed into a shell: $ commands, and what they say
//	```console fails     the same, and the last command must fail
//	```console runs      a command that goes on until the end of the page
//	```console waits     a command that ends later, by what is done after it
//	```at                the terminal of the module that was started last
//	```at again          the same, each command repeated until it is answered so
//	```json tsl.json     the file of that name
//
// In console blocks $ begins a command, which goes on behind a \ at the end of
// a line. In at blocks these lines are typed, and all others are seen:
// AT… and +++ are commands, > TEXT is text behind the module's prompt, and
// matou> ORDER is Ctrl-] and an order. In what is seen, … stands for anything
// on the line, and as a line of its own for any lines; how many spaces and
// empty lines there are does not matter.
type tutorial struct {
	path  string
	steps []step
}

// A step is a command, a line that is typed, or a file, and what is seen of it.
type step struct {
	at   string // page:line
	kind string // shell, fails, runs, waits, file, type, again, see
	text string
	seen []string
}

// readTutorial reads the fenced blocks of a page.
func readTutorial(path string) (*tutorial, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &tutorial{path: path}
	lines := strings.Split(string(raw), "\n")
	for i := 0; i < len(lines); i++ {
		info, fence := strings.CutPrefix(lines[i], "```")
		if !fence {
			continue
		}
		first, end := i+1, i+1
		for end < len(lines) && lines[end] != "```" {
			end++
		}
		if end == len(lines) {
			return nil, fmt.Errorf("%s:%d: a block without end", path, i+1)
		}
		if err := p.block(info, lines[first:end], first+1); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		i = end
	}
	if len(p.steps) == 0 {
		return nil, fmt.Errorf("%s: nothing to do", path)
	}
	return p, nil
}

// block adds the steps of a block whose first line has a number.
func (p *tutorial) block(info string, lines []string, number int) error {
	word, tag, _ := strings.Cut(info, " ")
	switch word {
	case "console":
		return p.console(tag, lines, number)
	case "at":
		if tag != "" && tag != "again" {
			return fmt.Errorf("at %q: it is again, or nothing", tag)
		}
		first := len(p.steps)
		p.typed(lines, number)
		for i := range p.steps[first:] {
			if tag == "again" {
				p.steps[first+i].kind = "again"
			}
		}
		return nil
	case "json", "yaml":
		if tag == "" || tag != filepath.Base(tag) {
			return fmt.Errorf("a file without a name: write ```%s name.%s", word, word)
		}
		p.add(number, "file", strings.Join(lines, "\n")+"\n").seen = []string{tag}
		return nil
	}
	return fmt.Errorf("blocks are console, at, json or yaml, so that they are tested; this is %q", info)
}

func (p *tutorial) add(number int, kind, text string) *step {
	p.steps = append(p.steps, step{at: fmt.Sprintf("%s:%d", filepath.Base(p.path), number), kind: kind, text: text})
	return &p.steps[len(p.steps)-1]
}

func (p *tutorial) console(tag string, lines []string, number int) error {
	kind := map[string]string{"": "shell", "fails": "fails", "runs": "runs", "waits": "waits"}[tag]
	if kind == "" {
		return fmt.Errorf("console %q: it is fails, runs or waits", tag)
	}
	var s *step
	for i := 0; i < len(lines); i++ {
		command, ok := strings.CutPrefix(lines[i], "$ ")
		if !ok {
			if s == nil {
				return fmt.Errorf("the block begins with %q instead of $ and a command", lines[i])
			}
			s.seen = append(s.seen, lines[i])
			continue
		}
		if s != nil && kind != "shell" && kind != "fails" {
			return fmt.Errorf("console %s takes one command", tag)
		}
		at := number + i
		for strings.HasSuffix(command, `\`) && i+1 < len(lines) {
			i++
			command += "\n" + lines[i]
		}
		if s != nil {
			s.kind = "shell" // only the last of a block fails
		}
		s = p.add(at, kind, command)
	}
	if s == nil {
		return fmt.Errorf("an empty block")
	}
	return nil
}

func (p *tutorial) typed(lines []string, number int) {
	var s *step
	for i, l := range lines {
		_, answer := strings.CutPrefix(l, "> ")
		_, order := strings.CutPrefix(l, "matou> ")
		switch {
		case answer, order, strings.HasPrefix(l, "AT"), l == "+++":
			s = p.add(number+i, "type", l)
		case s == nil:
			s = p.add(number+i, "see", "")
			s.seen = append(s.seen, l)
		default:
			s.seen = append(s.seen, l)
		}
	}
}

// pattern is the expression for what a step shows; "" if that is nothing.
func pattern(seen []string) string {
	var out strings.Builder
	for _, l := range seen {
		l = strings.Join(strings.Fields(l), " ")
		switch l {
		case "":
		case ">": // the prompt, behind which something comes
			out.WriteString(`> ?\n?`)
		case "…":
			out.WriteString(`(?:[^\n]*\n)*?`)
		default:
			out.WriteString(strings.ReplaceAll(regexp.QuoteMeta(l), "…", `[^\n]*`) + `\n`)
			if strings.HasPrefix(l, "+IPD,") { // counted bytes, which no line end follows
				out.WriteString(`?`)
			}
		}
	}
	return out.String()
}

// plain is text without what does not matter: empty lines, and how many
// spaces there are. A last line that has not ended is left as it is.
func plain(text string) string {
	var out strings.Builder
	for l := range strings.Lines(strings.ReplaceAll(text, "\r", "")) {
		whole := strings.HasSuffix(l, "\n")
		if l = strings.Join(strings.Fields(l), " "); l == "" {
			continue
		}
		out.WriteString(l)
		if whole {
			out.WriteString("\n")
		}
	}
	return out.String()
}

// doing are the commands of a page, without what is seen.
func (p *tutorial) doing() (all []string) {
	for _, s := range p.steps {
		if s.kind == "see" {
			continue
		}
		all = append(all, s.kind+" "+s.text)
	}
	return all
}
