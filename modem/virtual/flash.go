package virtual

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// maxFlash bounds the text of a flash: an EC20 full of files, in base64.
const maxFlash = 2 << 20

// A flashText is the flash of a module as text: what it keeps while it has no
// power. The sum is of the content without blanks.
type flashText struct {
	Module   string          `json:"module"`
	Firmware string          `json:"firmware"`
	SHA256   string          `json:"sha256"`
	Flash    json.RawMessage `json:"flash"`
}

// Flash is what the module keeps while it has no power, as text for
// Options.Flash. Passwords of Wi-Fi and keys are in it.
func (m *Module) Flash() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	content := m.flash()
	text, err := json.MarshalIndent(flashText{m.model.Name, m.opts.Firmware, sumOf(content), content}, "", "  ")
	if err != nil {
		panic(err)
	}
	return append(text, '\n')
}

// flash is what is in it. The lock is held.
func (m *Module) flash() []byte {
	content, err := json.Marshal(m.self.inFlash())
	if err != nil {
		panic(err) // it is of strings and numbers
	}
	return content
}

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// flashed tells the observer if a command has changed the flash. The lock is
// held.
func (m *Module) flashed() {
	if m.opts.Observer == nil {
		return
	}
	if now := m.flash(); !bytes.Equal(now, m.lastFlash) {
		m.lastFlash = now
		m.observe(Event{Kind: Flashed, Link: -1})
	}
}

// restore gives the module the flash of an earlier one.
func (m *Module) restore(text []byte) error {
	if len(text) > maxFlash {
		return fmt.Errorf("flash: %d bytes are more than any module has, %d", len(text), maxFlash)
	}
	var f flashText
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&f)
	if err == nil && f.Module == "" {
		err = errors.New("it names no module")
	}
	if err != nil {
		return fmt.Errorf("flash: it is no flash of a module, or damaged: take another file, or remove it to begin with a module from the factory (%w)", err)
	}
	if f.Module != m.model.Name {
		return fmt.Errorf("flash: it is of an %s, and this is an %s: each module needs a file of its own", f.Module, m.model.Name)
	}
	var content bytes.Buffer
	if err := json.Compact(&content, f.Flash); err != nil || sumOf(content.Bytes()) != f.SHA256 {
		return errors.New("flash: it is damaged, for its SHA256 does not fit: take a copy from before, or remove the file to begin with a module from the factory")
	}
	if err := m.self.fromFlash(f.Firmware, content.Bytes()); err != nil {
		return fmt.Errorf("flash: %w", err)
	}
	return nil
}

// decodeFlash reads the content strictly.
func decodeFlash(content []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("it was written by another version of this program: remove the file to begin with a module from the factory (%w)", err)
	}
	return nil
}
