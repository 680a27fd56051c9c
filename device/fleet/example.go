package fleet

import (
	"embed"
	"path"
	"slices"
	"strings"

	"github.com/matou-iot/matou/device/virtual"
)

//go:embed examples
var examples embed.FS

// Examples are the names of the scenarios that come with the program.
func Examples() (names []string) {
	entries, err := examples.ReadDir("examples")
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
func Example(name string) (text []byte, open virtual.Opener, ok bool) {
	open = func(name string) ([]byte, error) { return examples.ReadFile(path.Join("examples", name)) }
	text, err := open(name + ".yaml")
	return text, open, err == nil
}
