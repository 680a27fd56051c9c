//go:build !unix

package fleet

import "net"

// read reads what comes next. Here each connection holds a buffer.
func read(conn net.Conn) (*[]byte, int, error) { return readBuffered(conn) }
