package fleet

import (
	"net"
	"sync"
)

// bufferBytes is what one read may bring.
const bufferBytes = 4 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferBytes); return &b }}

func borrow() *[]byte { return buffers.Get().(*[]byte) }

func giveBack(b *[]byte) { buffers.Put(b) }

// readBuffered reads with a buffer that is held while it waits: over TLS and
// WebSocket, whose readers have buffers of their own anyhow.
func readBuffered(conn net.Conn) (*[]byte, int, error) {
	b := borrow()
	n, err := conn.Read(*b)
	if n > 0 {
		return b, n, nil
	}
	giveBack(b)
	return nil, 0, err
}
