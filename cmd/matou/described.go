package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/matou-iot/matou/device/virtual"
	"github.com/matou-iot/matou/internal/wording"
)

// usage is usagef in both languages.
func usage(format string, args ...any) error { return usageError{wording.Errorf(format, args...)} }

// A described is what a command is to run: the text of a file, or of an example
// that comes with Matou.
type described struct {
	name string
	text []byte
	open virtual.Opener // of the files that it names
}

// readDescribed finds it. command is a call with a file, to be shown to who named
// nothing; the names of files in flags count from here, not from the file.
func readDescribed(command, file, example string, shipped virtual.Shipped, stdin io.Reader, flags ...string) (d described, err error) {
	if (file == "") == (example == "") {
		return d, usage("name a file or an example: %s, or --example with one of %s", command, strings.Join(shipped.Names(), ", "))
	}
	d.name, d.open = file, virtual.Files(filepath.Dir(file))
	if example != "" {
		var ok bool
		if d.text, d.open, ok = shipped.Example(example); !ok {
			return d, usage("--example %s: there are %s", example, strings.Join(shipped.Names(), ", "))
		}
		d.name = example
	} else if d.text, err = readAll(file, stdin); err != nil {
		return d, usageError{err}
	}
	inText := d.open
	d.open = func(name string) ([]byte, error) {
		if name != "" && slices.Contains(flags, name) {
			return virtual.Files("")(name)
		}
		b, err := inText(name)
		if errors.Is(err, os.ErrNotExist) && filepath.Base(name) == name {
			// An example that was printed still names what ships beside it.
			if ours, notShipped := shipped.File(name); notShipped == nil {
				return ours, nil
			}
		}
		return b, err
	}
	return d, nil
}

// mistaken adds to an error of reading that the text is of the other kind, of
// which a key at its left edge tells.
func (d described) mistaken(err error, key, kind, command string) error {
	if regexp.MustCompile(`(?m)^` + key + `:`).Match(d.text) {
		return usage("%s describes a %s: run it with '%s %s'", d.name, wording.Term(kind), command, d.name)
	}
	return usageError{err}
}
