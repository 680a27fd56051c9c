//go:build !linux

package broker

// A lounge for silent clients is only on Linux; elsewhere their goroutines wait.
type lounge struct{}

func newLounge(*listener) *lounge { return nil }

func (*lounge) close() {}

func (*lounge) sit(*Client) bool { return false }

func (*lounge) wake(*Client) {}

func (*lounge) wakeAll() {}
