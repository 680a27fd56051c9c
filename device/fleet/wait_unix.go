//go:build unix

package fleet

import (
	"io"
	"net"
	"syscall"
)

// read waits until conn has something and reads it into a borrowed buffer. A
// bare socket holds no buffer while it waits: that is what makes a device
// cheap.
func read(conn net.Conn) (b *[]byte, n int, err error) {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return readBuffered(conn)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil, 0, err
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		b = borrow()
		for {
			n, failed = syscall.Read(int(fd), *b)
			if failed != syscall.EINTR {
				break
			}
		}
		if failed == syscall.EAGAIN {
			giveBack(b)
			b = nil
			return false
		}
		return true
	})
	if err == nil {
		err = failed
	}
	if err == nil && n <= 0 {
		err = io.EOF
	}
	if err != nil && b != nil {
		giveBack(b)
		b = nil
	}
	return b, max(n, 0), err
}
