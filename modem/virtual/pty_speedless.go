//go:build !linux

package virtual

// Baud is the speed that a host has set at its end: not known here.
func (p *PTY) Baud() int { return 0 }
