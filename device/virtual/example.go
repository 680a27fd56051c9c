package virtual

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Shipped are texts that come with the program: the .yaml files in the folder
// examples, and the files beside them that they name.
type Shipped struct{ fs.FS }

//go:embed examples
var examples embed.FS

// Examples are descriptions of devices.
var Examples = Shipped{examples}

// Names are the names of the texts, in order.
func (s Shipped) Names() (names []string) {
	entries, err := fs.ReadDir(s, "examples")
	if err != nil {
		panic(err) // it is compiled in
	}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok {
			names = append(names, name)
		}
	}
	return slices.Sorted(slices.Values(names))
}

// Example is the text of one, and an Opener of the files that it names.
func (s Shipped) Example(name string) (text []byte, open Opener, ok bool) {
	text, err := s.File(name + ".yaml")
	return text, s.File, err == nil
}

// File is an Opener of the files that ship beside the texts.
func (s Shipped) File(name string) ([]byte, error) {
	return fs.ReadFile(s, path.Join("examples", name))
}
