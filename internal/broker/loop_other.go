//go:build !linux

package broker

// Event loops are only on Linux; elsewhere each client has a goroutine.
type loops struct{}

func (*loops) close() {}

func (*listener) sit(*Client) bool { return false }

func (*loops) tellAll() {}

type loop struct{}

func (*loop) serve(*Client, *worker, bool) {}

func (*loop) wake(*Client) {}

type worker struct{}

func (*worker) handOver() {}

func (*worker) leads() bool { return false }

func (*worker) later(*work) bool { return false }
