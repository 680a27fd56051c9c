package virtual

import (
	"fmt"
	"slices"
)

// A cellFlashText is a cellFlash as text.
type cellFlashText struct {
	Baud     int                     `json:"baud"`
	Profile  *cellProfileText        `json:"profile,omitempty"` // AT&W
	Contexts map[int]pdpContextText  `json:"contexts"`
	Files    map[string]cellFileText `json:"files,omitempty"` // UFS
}

// A cellFileText is a file's content, in base64.
type cellFileText []byte

type cellProfileText struct {
	Echo         bool   `json:"echo"`
	Verbose      bool   `json:"verbose"`
	Quiet        bool   `json:"quiet"`
	CMEE         int    `json:"cmee"`
	Registration [3]int `json:"registration"`
}

type pdpContextText struct {
	Kind string `json:"kind"`
	APN  string `json:"apn"`
	User string `json:"user,omitempty"`
	Key  string `json:"password,omitempty"`
	Auth int    `json:"auth,omitempty"`
}

// inFlash is the flash as text.
func (c *cellular) inFlash() any {
	f := &c.flash
	t := cellFlashText{Baud: f.baud, Contexts: make(map[int]pdpContextText), Files: make(map[string]cellFileText)}
	if p := f.stored; p != nil {
		t.Profile = &cellProfileText{p.echo, p.verbose, p.quiet, p.cmee, p.registration}
	}
	for id, p := range f.contexts {
		t.Contexts[id] = pdpContextText{p.kind, p.apn, p.user, p.key, p.auth}
	}
	for name, b := range f.files {
		t.Files[name] = b
	}
	return t
}

// fromFlash is inFlash the other way round.
func (c *cellular) fromFlash(_ string, content []byte) error {
	var t cellFlashText
	if err := decodeFlash(content, &t); err != nil {
		return err
	}
	if !slices.Contains(baudRates, t.Baud) && t.Baud != c.opts.Baud {
		return fmt.Errorf("%d baud is none that a module can have", t.Baud)
	}
	if len(t.Contexts) > maxContexts || len(t.Files) > maxFiles {
		return fmt.Errorf("%d contexts and %d files are more than a module has: %d and %d", len(t.Contexts), len(t.Files), maxContexts, maxFiles)
	}
	f := cellFlash{baud: t.Baud, contexts: make(map[int]pdpContext), files: make(map[string][]byte)}
	if p := t.Profile; p != nil {
		f.stored = &cellProfile{p.Echo, p.Verbose, p.Quiet, p.CMEE, p.Registration}
	}
	for id, p := range t.Contexts {
		f.contexts[id] = pdpContext{p.Kind, p.APN, p.User, p.Key, p.Auth}
	}
	for name, b := range t.Files {
		f.files[name] = b
	}
	c.flash = f
	return nil
}
