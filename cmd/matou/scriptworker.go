package main

import "github.com/matou-iot/matou/internal/script"

// scriptWorkerCmd is a process of the server's own that runs the scripts of
// products; people do not start it.
type scriptWorkerCmd struct{}

// Run answers calls until standard input ends.
func (*scriptWorkerCmd) Run(g *globals) error { return script.Work(g.Stdin, g.Stdout) }
