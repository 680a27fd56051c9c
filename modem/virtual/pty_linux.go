package virtual

import "golang.org/x/sys/unix"

// Baud is the speed that a host has set at its end, which no pseudo-terminal
// cares about by itself; 0 if it cannot be told.
func (p *PTY) Baud() int {
	t, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS2)
	if err != nil {
		return 0
	}
	return int(t.Ospeed)
}
