package app

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/matou-iot/matou/device/fleet"
	"github.com/matou-iot/matou/internal/bench"
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/layers"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

// fleetPatience is how long the outcome of a fleet's command is waited for.
const fleetPatience = 20 * time.Second

// newBench is the bench, whose modules reach this server and what was allowed.
func (a *App) newBench() *bench.Bench {
	reach := bench.Reach{Names: []string{a.publicHost()}, Allow: a.config.Bench.Allow}
	for _, ln := range a.devices {
		if to, err := netip.ParseAddrPort(ln.Addr().(*net.TCPAddr).String()); err == nil {
			reach.Devices = append(reach.Devices, to)
		}
	}
	return bench.New(bench.Options{
		Registry: a.registry, Whose: a.whose, Reach: reach, Modules: a.config.Bench.Modules, Idle: a.config.Bench.Idle, Log: a.log,
		FleetDevices: a.config.Bench.FleetDevices, Command: a.commandAndWait,
	})
}

// commandAndWait has a device do something and waits until it says that it did.
func (a *App) commandAndWait(ctx context.Context, c fleet.Command) (err error) {
	id, order := registry.ID{Product: c.Product, Device: c.Device}, command.Order{Wait: fleetPatience}
	var sent command.Command
	if c.Property != "" {
		sent, err = a.commands.Set(ctx, id, []thing.Argument{{ID: c.Property, Value: c.Value}}, order)
	} else {
		input := make([]thing.Argument, 0, len(c.Input))
		for name, v := range c.Input {
			input = append(input, thing.Argument{ID: name, Value: v})
		}
		sent, err = a.commands.Invoke(ctx, id, c.Service, input, order)
	}
	if err == nil && sent.State != command.Acknowledged {
		err = fmt.Errorf("the command is %s %s", sent.State, sent.Message)
	}
	return err
}

// whose is the device that a module's login claims to be.
func (a *App) whose(ctx context.Context, c *packet.Connect) registry.ID {
	o, err := a.gate.Judge(ctx, c, broker.Origin{})
	if err != nil {
		return registry.ID{}
	}
	return registry.ID{Product: o.Claim.Product, Device: o.Claim.Device}
}

// spoken is what was said on the serial line of a module of the bench about the
// packet of an entry.
func (a *App) spoken(id registry.ID, e trace.Entry) (layers.AT, bool) {
	s, ok := a.bench.Spoken(id, e)
	return layers.AT(s), ok
}
