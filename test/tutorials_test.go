package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestTutorials does what the tutorials say, in both languages, and sees what
// they show. Two things differ from what a reader does: the ports are free
// ones, and the modules are faster than real ones.
func TestTutorials(t *testing.T) {
	pages, err := filepath.Glob("../docs/tutorials/0*.md")
	if err != nil || len(pages) < 2 {
		t.Fatal(pages, err)
	}
	for _, path := range pages {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".md"), func(t *testing.T) {
			t.Parallel()
			p, err := readTutorial(path)
			if err != nil {
				t.Fatal(err)
			}
			newReader(t, strings.HasSuffix(path, ".zh-CN.md")).follow(p)
		})
	}
}

// TestTutorialsAreTheSameInBothLanguages compares what is done, the steps and
// their order; what is seen may be in another language.
func TestTutorialsAreTheSameInBothLanguages(t *testing.T) {
	pages, _ := filepath.Glob("../docs/tutorials/0*.md")
	index := map[string]string{}
	for _, name := range []string{"README.md", "README.zh-CN.md"} {
		raw, err := os.ReadFile("../docs/tutorials/" + name)
		if err != nil {
			t.Fatal(err)
		}
		index[name] = string(raw)
	}
	for _, path := range pages {
		english, chinese := strings.TrimSuffix(strings.TrimSuffix(path, ".md"), ".zh-CN")+".md", strings.TrimSuffix(strings.TrimSuffix(path, ".md"), ".zh-CN")+".zh-CN.md"
		list := index["README.md"]
		if path == chinese {
			list = index["README.zh-CN.md"]
		}
		if !strings.Contains(list, "("+filepath.Base(path)+")") {
			t.Errorf("%s is not in the list of tutorials", path)
		}
		a, err := readTutorial(english)
		b, err2 := readTutorial(chinese)
		if err = errors.Join(err, err2); err != nil {
			t.Error(err)
			continue
		}
		one, other := a.doing(), b.doing()
		for i := range min(len(one), len(other)) {
			if one[i] != other[i] {
				t.Errorf("%s: step %d is\n%s\nin English, in Chinese\n%s", english, i+1, one[i], other[i])
				break
			}
		}
		if len(one) != len(other) {
			t.Errorf("%s: %d steps in English, %d in Chinese", english, len(one), len(other))
		}
	}
}

// A reader follows a tutorial in a directory of its own.
type reader struct {
	t      *testing.T
	m      *matou // for its patience
	dir    string
	env    []string
	ports  *strings.Replacer // of the page to those in use
	back   *strings.Replacer
	module *window
	later  []*window // those that wait, in order
}

// A window is where a command runs, and what it has said that no step has seen
// yet.
type window struct {
	step   step
	cmd    *exec.Cmd
	in     *os.File // the terminal it runs on
	said   buffer
	past   int // how much of it, made plain, was seen
	ended  chan error
	result error
}

func newReader(t *testing.T, chinese bool) *reader {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	if bin, err = filepath.Abs(bin); err != nil {
		t.Fatal(err)
	}
	r := &reader{t: t, m: &matou{t: t, stderr: new(buffer)}, dir: t.TempDir()}
	path := t.TempDir()
	if err := os.Symlink(bin, filepath.Join(path, "matou")); err != nil {
		t.Fatal(err)
	}
	device, api := freePort(t), freePort(t)
	r.ports = strings.NewReplacer("127.0.0.1:1883", "127.0.0.1:"+device, "127.0.0.1:7080", "127.0.0.1:"+api, "matou modem run ", "matou modem run --speed 20 ")
	r.back = strings.NewReplacer("127.0.0.1:"+device, "127.0.0.1:1883", "127.0.0.1:"+api, "127.0.0.1:7080")
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "MATOU_") && !strings.HasPrefix(e, "LC_") && !strings.HasPrefix(e, "LANG") {
			r.env = append(r.env, e)
		}
	}
	lang := "en_US.UTF-8"
	if chinese {
		lang = "zh_CN.UTF-8"
	}
	r.env = append(r.env, "LANG="+lang, "PATH="+path+":"+os.Getenv("PATH"), "MATOU_DEVICES_LISTEN=127.0.0.1:"+device, "MATOU_API_LISTEN=127.0.0.1:"+api)
	return r
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}

func (r *reader) follow(p *tutorial) {
	r.t.Helper()
	for _, s := range p.steps {
		switch s.kind {
		case "file":
			if err := os.WriteFile(filepath.Join(r.dir, s.seen[0]), []byte(s.text), 0o600); err != nil {
				r.t.Fatal(err)
			}
		case "shell", "fails":
			r.shell(s)
		case "runs":
			c := r.start(s)
			if strings.HasPrefix(s.text, "matou modem run ") {
				r.module = c
			}
			r.see(c, s)
		case "waits":
			r.later = append(r.later, r.start(s))
		case "type":
			r.typeLine(s)
		case "again":
			r.again(s)
		case "see":
			r.see(r.module, s)
		}
	}
	for _, c := range r.later {
		r.see(c, c.step)
		select {
		case c.result = <-c.ended:
			if c.result != nil {
				r.t.Errorf("%s: %s ended with %v after\n%s", c.step.at, c.step.text, c.result, r.text(c))
			}
		case <-time.After(patience):
			r.t.Errorf("%s: %s has not ended", c.step.at, c.step.text)
		}
		c.cmd = nil
	}
}

// command is one of the page, in a shell, on the ports in use.
func (r *reader) command(ctx context.Context, s step) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", r.ports.Replace(s.text))
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

// shell runs a command to its end.
func (r *reader) shell(s step) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*patience)
	defer cancel()
	out, err := r.command(ctx, s).CombinedOutput()
	text := plain(r.back.Replace(string(out)))
	if (err != nil) != (s.kind == "fails") {
		r.t.Fatalf("%s: %s: %v\n%s", s.at, s.text, err, text)
	}
	if !regexp.MustCompile(`^` + pattern(s.seen) + `$`).MatchString(text) {
		r.t.Fatalf("%s: %s says\n%s\nThe page shows\n%s", s.at, s.text, text, strings.Join(s.seen, "\n"))
	}
}

// start runs a command on a terminal, as in a window of its own.
func (r *reader) start(s step) *window {
	r.t.Helper()
	c := &window{step: s, ended: make(chan error, 1)}
	c.step.text = s.text
	ours, theirs, err := pty.Open()
	if err != nil {
		r.t.Skipf("SKIPPED: a tutorial needs terminals: %v", err)
	}
	c.in = ours
	s.text = "exec " + s.text // so that what it is sent is sent to it
	c.cmd = r.command(context.Background(), s)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirs, theirs, theirs
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	theirs.Close()
	read := make(chan struct{})
	go func() {
		io.Copy(&c.said, ours) // until it ends
		close(read)
	}()
	cmd := c.cmd
	go func() {
		err := cmd.Wait()
		<-read
		c.ended <- err
	}()
	r.t.Cleanup(func() {
		if c.cmd != nil {
			cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-c.ended:
			case <-time.After(patience):
				cmd.Process.Kill()
				r.t.Errorf("%s: %s did not stop", c.step.at, c.step.text)
			}
		}
		ours.Close()
	})
	return c
}

// text is what a command has said that was not seen yet.
func (r *reader) text(c *window) string {
	return note.ReplaceAllString(r.all(c), "")[c.past:]
}

// all is everything that a command has said.
func (r *reader) all(c *window) string { return plain(r.back.Replace(c.said.String())) }

// note is a line beside what a module says, not in a fixed place of it.
var note = regexp.MustCompile(`(?m)^(?:note: |提示：).*\n`)

// typeLine types a line into the module's terminal, and sees it there.
func (r *reader) typeLine(s step) {
	r.t.Helper()
	c := r.module
	if c == nil {
		r.t.Fatalf("%s: no module runs", s.at)
	}
	line := s.text
	if order, ok := strings.CutPrefix(s.text, "matou> "); ok {
		fmt.Fprintf(c.in, "\x1d")
		r.expect(c, s, `matou> ?`)
		fmt.Fprintf(c.in, "%s\r", order)
		line = order
	} else if text, ok := strings.CutPrefix(s.text, "> "); ok {
		r.expect(c, s, `> ?`)
		fmt.Fprint(c.in, text)
		if len(s.seen) > 0 {
			r.see(c, s)
		}
		return
	} else {
		fmt.Fprintf(c.in, "%s\r", line)
	}
	r.expect(c, s, regexp.QuoteMeta(strings.Join(strings.Fields(line), " "))+`\n?`)
	r.see(c, s)
}

// again types a command until it is answered as the page shows.
func (r *reader) again(s step) {
	r.t.Helper()
	if !strings.HasPrefix(s.text, "AT") || len(s.seen) == 0 {
		r.t.Fatalf("%s: what is typed again is a command with an answer", s.at)
	}
	want := regexp.MustCompile(`^` + regexp.QuoteMeta(s.text) + `\n` + pattern(s.seen) + `$`)
	r.m.await(s.text+" to be answered", func() bool {
		fmt.Fprintf(r.module.in, "%s\r", s.text)
		return want.MatchString(r.expect(r.module, s, regexp.QuoteMeta(s.text)+`\n(?:[^\n]*\n)*?(?:OK|ERROR)\n`))
	})
}

// see waits until a running command has shown what a step shows.
func (r *reader) see(c *window, s step) {
	r.t.Helper()
	var lines, notes []string
	for _, line := range s.seen {
		if note.MatchString(line + "\n") {
			notes = append(notes, line)
		} else {
			lines = append(lines, line)
		}
	}
	if p := pattern(lines); p != "" {
		r.expect(c, s, p)
	}
	for _, line := range notes {
		want := regexp.MustCompile(`(?m)^` + pattern([]string{line}))
		r.m.await(line, func() bool { return want.MatchString(r.all(c)) })
	}
}

// expect waits until what a command says begins with the expression, and
// returns that.
func (r *reader) expect(c *window, s step, expression string) string {
	r.t.Helper()
	re := regexp.MustCompile(`^` + expression)
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		text := r.text(c)
		rest := strings.TrimLeft(text, " \n")
		if at := re.FindStringIndex(rest); at != nil {
			c.past += len(text) - len(rest) + at[1]
			return rest[:at[1]]
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			r.t.Fatalf("%s: %s\nis followed by\n%s\nThe page shows\n%s", s.at, s.text, text, strings.Join(s.seen, "\n"))
		}
	}
}
