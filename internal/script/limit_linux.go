package script

import "syscall"

// limitMemory lets the process have no more memory of its own than most bytes:
// asking for more ends it, whatever the engine's natives do.
func limitMemory(most uint64) {
	// Without it the watcher is all there is; that is no reason not to run.
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: most, Max: most})
}
