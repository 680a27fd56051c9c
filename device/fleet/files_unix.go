//go:build unix

package fleet

import (
	"fmt"
	"syscall"
)

// spareFiles are open files beyond one a device.
const spareFiles = 64

// enoughFiles reports whether this process may open as many connections.
func enoughFiles(devices int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil
	}
	if uint64(devices+spareFiles) > uint64(limit.Cur) {
		return fmt.Errorf("%d devices need as many open files and a few more, and this process may have %d: raise the limit (ulimit -n %d), or run several processes", devices, limit.Cur, devices+spareFiles)
	}
	return nil
}
