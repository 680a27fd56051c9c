package virtual

import (
	"errors"
	"fmt"
	"os"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// A PTY is a pseudo-terminal whose other end programs open as they would open
// a serial port. What is written to it is read there, and the other way round.
type PTY struct {
	*os.File          // the module's end
	Name     string   // of the host's end, /dev/pts/3
	link     string   // symbolic link to it; empty: none
	slave    *os.File // kept open, so that a host may come and go
}

// OpenPTY makes a pseudo-terminal, and a symbolic link to the host's end if
// link is not empty. A link that is there already is replaced, anything else
// is an error that matches fs.ErrExist. The terminal is raw: no byte is
// changed, and what the module says is not echoed back to it.
func OpenPTY(link string) (*PTY, error) {
	master, slave, err := pty.Open()
	if err != nil {
		if errors.Is(err, pty.ErrUnsupported) {
			err = errors.New("this system has none: use a TCP port")
		}
		return nil, fmt.Errorf("pseudo-terminal: %w", err)
	}
	if master, err = pollable(master); err != nil {
		slave.Close()
		return nil, fmt.Errorf("pseudo-terminal: %w", err)
	}
	p := &PTY{File: master, Name: slave.Name(), slave: slave}
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil {
		p.Close()
		return nil, fmt.Errorf("pseudo-terminal %s: %w", p.Name, err)
	}
	if link == "" {
		return p, nil
	}
	if at, err := os.Lstat(link); err == nil && at.Mode()&os.ModeSymlink == 0 {
		p.Close()
		return nil, fmt.Errorf("link %s: %w and is no symbolic link: name another", link, os.ErrExist)
	}
	os.Remove(link)
	if err := os.Symlink(p.Name, link); err != nil {
		p.Close()
		return nil, err // names both
	}
	p.link = link
	return p, nil
}

// Close ends both sides and removes the link, unless it leads elsewhere by now.
func (p *PTY) Close() error {
	if p.link != "" {
		if to, err := os.Readlink(p.link); err == nil && to == p.Name {
			os.Remove(p.link)
		}
	}
	p.slave.Close()
	return p.File.Close()
}
