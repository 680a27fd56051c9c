//go:build !race && !386 && !s390x

package broker

import (
	"syscall"
	"unsafe"
)

// readNow and writeNow are recv(2) and send(2) on a socket that does not
// block, without telling the scheduler: it prepares for calls that may last,
// wakes the thread that watches over them and may hand the processor on. For
// calls that end within microseconds all this costs more than they do: at
// 10,000 messages/s a quarter of the CPU seconds of the whole process. read(2)
// and write(2) would do the same by way of what files have and sockets do not:
// a position, locks on it, watchers.

func readNow(fd int, b []byte) (int, error) {
	return direct(syscall.SYS_RECVFROM, fd, b, syscall.MSG_DONTWAIT)
}

func writeNow(fd int, b []byte) (int, error) {
	return direct(syscall.SYS_SENDTO, fd, b, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
}

func direct(call uintptr, fd int, b []byte, flags uintptr) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, _, errno := syscall.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
