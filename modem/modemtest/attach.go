package modemtest

import (
	"context"
	"io"
	"net"
	"testing"
)

// An Attacher attaches a driver to a port.
type Attacher[D io.Closer] func(ctx context.Context, port io.ReadWriteCloser) (D, error)

// Attach attaches a driver until the test ends.
func Attach[D io.Closer](t *testing.T, port net.Conn, attach Attacher[D]) D {
	t.Helper()
	m, err := attach(t.Context(), port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}
