package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/matou-iot/matou/modem/virtual"
)

// modemStdio is the module's line on standard input and output: a terminal
// for a person, or the pipes of a program.
type modemStdio struct {
	g       *globals
	m       *virtual.Module
	rec     *modemRecord
	console *modemConsole
}

// lingering is how long a module is given to answer what a program's input
// ended with: until it has been silent for so long.
const lingering = time.Second

func (p *modemStdio) serve(ctx context.Context) error {
	line := &stdioLine{in: p.g.Stdin, out: p.g.Stdout, console: p.console, spoke: make(chan struct{}, 1), done: ctx.Done()}
	if f, ok := p.g.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fd := int(f.Fd())
		before, err := term.MakeRaw(fd)
		if err != nil {
			return err
		}
		defer term.Restore(fd, before)
		line.typed = true
		p.console.send = line.send
		fmt.Fprintf(p.g.Stderr, "%s on this terminal. Ctrl-] and then quit ends it, help says what else.\r\n", p.m.Model().Title)
	}
	// Standard input cannot be interrupted: its reader is left behind, and
	// ends with the process.
	ended := make(chan error, 1)
	go func() { ended <- p.m.Attach(ctx, p.rec.on(line)) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

// A stdioLine is standard input and output as a serial line. What a person
// types is given the line ends that modules want, and Ctrl-] turns to the
// console; bytes that a terminal cannot show are shown as <02>.
type stdioLine struct {
	in      io.Reader
	out     io.Writer
	console *modemConsole
	typed   bool
	order   []byte // being typed after Ctrl-]; nil: none
	ahead   []byte // for the module, at most one order's bytes and one read's
	cut     []byte // the beginning of a character that the module has not ended
	last    byte   // that the module said and that was shown
	spoke   chan struct{}
	done    <-chan struct{}
}

const consoleKey = 0x1d // Ctrl-]

func (l *stdioLine) Read(p []byte) (int, error) {
	if !l.typed {
		n, err := l.in.Read(p)
		if err == io.EOF && n == 0 {
			l.linger()
		}
		return n, err
	}
	for len(l.ahead) == 0 {
		n, err := l.in.Read(p)
		l.ahead = l.translate(p[:n])
		if err != nil {
			return l.take(p), err
		}
	}
	return l.take(p), nil
}

// take hands over what is ahead, as much as there is room for.
func (l *stdioLine) take(p []byte) int {
	n := copy(p, l.ahead)
	l.ahead = l.ahead[n:]
	return n
}

// send is the console's way to type bytes. It is called by translate.
func (l *stdioLine) send(b []byte) { l.ahead = append(l.ahead, b...) }

// linger waits until the module has been silent for a while.
func (l *stdioLine) linger() {
	for {
		select {
		case <-l.spoke:
		case <-time.After(lingering):
			return
		case <-l.done:
			return
		}
	}
}

// translate is what the module gets of what was typed.
func (l *stdioLine) translate(b []byte) (out []byte) {
	l.ahead = nil
	for _, c := range b {
		switch {
		case l.order != nil:
			l.edit(c)
			out, l.ahead = append(out, l.ahead...), nil
		case c == consoleKey:
			l.order = []byte{}
			fmt.Fprint(l.console.out, "\r\nmatou> ")
		case c == '\r':
			out = append(out, '\r', '\n')
		default:
			out = append(out, c)
		}
	}
	return out
}

// edit is a key of an order.
func (l *stdioLine) edit(c byte) {
	switch c {
	case '\r', '\n':
		order := string(l.order)
		l.order = nil
		fmt.Fprint(l.console.out, "\r\n")
		l.console.order(order)
	case 0x7f, '\b':
		if len(l.order) > 0 {
			l.order = l.order[:len(l.order)-1]
			fmt.Fprint(l.console.out, "\b \b")
		}
	case 0x03, 0x1b, consoleKey: // Ctrl-C, Escape
		l.order = nil
		fmt.Fprint(l.console.out, "\r\n")
	default:
		const most = 8192 // send, with a packet of the most that AT+CIPSEND takes
		if c >= ' ' && len(l.order) < most {
			l.order = append(l.order, c)
			l.console.out.Write([]byte{c})
		}
	}
}

func (l *stdioLine) Write(p []byte) (int, error) {
	select {
	case l.spoke <- struct{}{}:
	default:
	}
	b := bytes.Clone(p)
	if l.typed {
		b = l.show(b)
	}
	if _, err := l.out.Write(b); err != nil {
		return 0, err
	}
	return len(p), nil
}

// show is what a person gets to see of what the module says: text as it is,
// bytes that are none in hex.
func (l *stdioLine) show(b []byte) (out []byte) {
	b = append(l.cut, b...)
	for len(b) > 0 && utf8.FullRune(b) {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1, r < ' ' && r != '\r' && r != '\n' && r != '\b', r == 0x7f, r == '\n' && l.last != '\r':
			out = fmt.Appendf(out, "<%02X>", b[0])
		default:
			out = append(out, b[:n]...)
		}
		l.last, b = b[n-1], b[n:]
	}
	l.cut = bytes.Clone(b)
	return out
}

// Close does nothing: standard input and output are not ours.
func (l *stdioLine) Close() error { return nil }
