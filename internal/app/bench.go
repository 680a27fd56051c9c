package app

import (
	"net"
	"net/netip"

	"github.com/matou-iot/matou/internal/bench"
)

// newBench is the bench, whose modules reach this server and what was allowed.
func (a *App) newBench() *bench.Bench {
	reach := bench.Reach{Names: []string{a.publicHost()}, Allow: a.config.Bench.Allow}
	for _, ln := range a.devices {
		if to, err := netip.ParseAddrPort(ln.Addr().(*net.TCPAddr).String()); err == nil {
			reach.Devices = append(reach.Devices, to)
		}
	}
	return bench.New(bench.Options{Registry: a.registry, Reach: reach, Modules: a.config.Bench.Modules, Idle: a.config.Bench.Idle, Log: a.log})
}
