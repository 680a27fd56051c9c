//go:build !linux

package script

// limitMemory does nothing: only Linux counts what a process has of its own.
// The watcher ends a worker that takes too much.
func limitMemory(uint64) {}
