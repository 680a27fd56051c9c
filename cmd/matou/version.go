package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

// version is set by the linker: -X main.version=v1.2.3.
var version = "dev"

// builtAs is the version: the linker's, or the one that was asked for with
// go install …@version.
func builtAs() string {
	info, ok := debug.ReadBuildInfo()
	if version != "dev" || !ok || info.Main.Sum == "" || !strings.HasPrefix(info.Main.Version, "v") {
		return version
	}
	return info.Main.Version
}

// versionLine is what people are told.
func versionLine() string {
	return fmt.Sprintf("matou %s (%s, %s/%s)", builtAs(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

type versionCmd struct{}

func (*versionCmd) Help() string {
	return `Examples:
  matou version
  matou version --json`
}

func (*versionCmd) Run(g *globals) error {
	about := struct {
		Version string `json:"version"`
		Go      string `json:"go"`
		OS      string `json:"os"`
		Arch    string `json:"arch"`
	}{builtAs(), runtime.Version(), runtime.GOOS, runtime.GOARCH}
	return g.emit(about, func(w io.Writer) {
		fmt.Fprintln(w, versionLine())
	})
}
