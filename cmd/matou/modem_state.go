package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/matou-iot/matou/modem/virtual"
)

// A modemState is the file of --state: a module's flash. nil without one.
type modemState struct {
	file string

	mu     sync.Mutex
	module *virtual.Module
	last   []byte // in the file
	failed error  // of writing it
}

// openModemState reads the file into the options, if it is there, and has it
// written whenever the flash changes.
func openModemState(file string, o *virtual.Options) (*modemState, error) {
	if file == "" {
		return nil, nil
	}
	s := &modemState{file: file}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, usagef("--state: %w", err)
	}
	if err == nil && len(text) == 0 {
		return nil, usagef("--state %s: the file is empty: remove it to begin with a module from the factory", file)
	}
	o.Flash, s.last = text, text
	tell := o.Observer
	o.Observer = func(e virtual.Event) {
		if e.Kind == virtual.Flashed {
			s.save()
		}
		tell(e)
	}
	return s, nil
}

// explain names the file where the module does not take its content.
func (s *modemState) explain(err error) error {
	if s != nil && len(s.last) > 0 {
		return usagef("--state %s: %w", s.file, err)
	}
	return usagef("%w", err)
}

// of says whose flash it is.
func (s *modemState) of(m *virtual.Module) {
	if s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.module = m
	}
}

// save writes the flash, if it has changed. The file is whole at any time.
func (s *modemState) save() {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.module.Flash()
	if bytes.Equal(text, s.last) {
		return
	}
	if s.failed = replaceFile(s.file, text); s.failed == nil {
		s.last = text
	}
}

// close writes what has not been written yet.
func (s *modemState) close() error {
	if s == nil {
		return nil
	}
	s.save()
	if s.failed != nil {
		return fmt.Errorf("--state: %w", s.failed)
	}
	return nil
}

// replaceFile writes a file that is either there whole or as it was, even if
// the power fails. Only its owner can read it.
func replaceFile(name string, content []byte) error {
	part, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	_, err = part.Write(content)
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), name)
}
