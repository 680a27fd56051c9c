//go:build unix

package virtual

import (
	"os"
	"syscall"
)

// pollable makes a file whose reads end when it is closed, which those of a
// pseudo-terminal do not by themselves. f is used up.
func pollable(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		syscall.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}
