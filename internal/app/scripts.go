package app

import (
	"os"
	"os/exec"
	"syscall"
)

// scriptWorker is the command of a process that runs the scripts of products:
// this very program, even if the file was replaced since it started. It is in a
// group of its own, so that Ctrl-C on a terminal is the server's alone: workers
// end when it lets go of them.
func scriptWorker() *exec.Cmd {
	self := "/proc/self/exe"
	if _, err := os.Stat(self); err != nil {
		if self, err = os.Executable(); err != nil {
			self = os.Args[0]
		}
	}
	cmd := exec.Command(self, "script-worker")
	cmd.Env = []string{"GOTRACEBACK=none"} // nothing of the server's is theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}
