//go:build !unix

package broker

import "net"

// newTransport carries the bytes of nc; where sockets cannot be asked what
// they would take, each flush has its own goroutine.
func newTransport(nc net.Conn, abort func()) transport { return &stream{nc: nc, abort: abort} }
