package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// A terminal is where a person can be asked.
type terminal interface {
	readLine(ctx context.Context) (string, error)
	readSecret(ctx context.Context) (string, error) // without showing it
}

// terminalOf returns the terminal that in is, nil where it is none.
func terminalOf(in io.Reader) terminal {
	switch in := in.(type) {
	case terminal:
		return in
	case *os.File:
		if term.IsTerminal(int(in.Fd())) {
			return tty{in}
		}
	}
	return nil
}

type tty struct{ f *os.File }

func (t tty) readLine(ctx context.Context) (string, error) {
	return interruptible(ctx, func() (string, error) { return bufio.NewReader(t.f).ReadString('\n') })
}

func (t tty) readSecret(ctx context.Context) (string, error) {
	fd := int(t.f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	defer term.Restore(fd, before) // also where the reader is left behind
	return interruptible(ctx, func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b), err
	})
}

// interruptible ends waiting for a person when ctx is done. The reader stays
// behind then: nothing but the end of the process ends it, which is next.
func interruptible(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-ctx.Done():
		return "", errors.New("interrupted")
	}
}

// yesFlag answers before it is asked.
type yesFlag struct {
	Yes bool `short:"y" help:"Do not ask."`
}

// confirm asks whether to do what cannot be undone.
func (f yesFlag) confirm(g *globals, what string) error {
	if f.Yes {
		return nil
	}
	t := terminalOf(g.Stdin)
	if t == nil {
		return usagef("this is not undone: say --yes where nobody can be asked")
	}
	fmt.Fprintf(g.Stderr, "%s? [y/N] ", what)
	answer, err := t.readLine(g.Ctx)
	if err != nil && answer == "" {
		return fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	fmt.Fprintln(g.Stderr, "nothing was done")
	return exitCode(exitFailed)
}

// maxSecretLine is the longest line that secrets reads from a pipe.
const maxSecretLine = 4096

// secrets asks for secrets on a terminal, or reads a line for each where there
// is none.
type secrets struct {
	g     *globals
	term  terminal
	lines *bufio.Scanner
}

func newSecrets(g *globals) *secrets {
	s := &secrets{g: g, term: terminalOf(g.Stdin)}
	if s.term == nil {
		s.lines = bufio.NewScanner(g.Stdin)
		s.lines.Buffer(nil, maxSecretLine)
	}
	return s
}

// next returns the next secret, which prompt names.
func (s *secrets) next(prompt string) (string, error) {
	if s.term == nil {
		if s.lines.Scan() {
			return s.lines.Text(), nil
		}
		if err := s.lines.Err(); err != nil {
			return "", fmt.Errorf("read the %s: %w", prompt, err)
		}
		return "", usagef("standard input has no line with the %s", prompt)
	}
	fmt.Fprintf(s.g.Stderr, "%s: ", prompt)
	text, err := s.term.readSecret(s.g.Ctx)
	fmt.Fprintln(s.g.Stderr)
	if err != nil {
		return "", fmt.Errorf("read the %s: %w", prompt, err)
	}
	return text, nil
}

// chosen asks for a new secret; on a terminal twice, as nobody sees what he
// writes.
func (s *secrets) chosen(prompt string) (string, error) {
	first, err := s.next(prompt)
	if err == nil && first == "" {
		err = fmt.Errorf("the %s is empty; nothing was changed", prompt)
	}
	if err != nil || s.term == nil {
		return first, err
	}
	again, err := s.next(prompt + " again")
	if err == nil && again != first {
		err = errors.New("the two are not the same; nothing was changed")
	}
	return first, err
}
