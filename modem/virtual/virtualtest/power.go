// Package virtualtest puts virtual modules under power in tests, alone or with
// a driver attached.
package virtualtest

import (
	"context"
	"net"
	"testing"

	"github.com/matou-iot/matou/modem/virtual"
)

// Power gives a virtual module power until the test ends. port leads to its
// UART, where a driver can be attached.
func Power(t *testing.T, o virtual.Options) (m *virtual.Module, port net.Conn) {
	t.Helper()
	m, err := virtual.New(o)
	if err != nil {
		t.Fatal(err)
	}
	port, uart := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- m.Attach(ctx, uart) }()
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		port.Close()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	return m, port
}
