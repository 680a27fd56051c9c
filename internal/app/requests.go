package app

import (
	"context"
	"net"
	"strconv"

	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/remoteconfig"
	"github.com/matou-iot/matou/internal/remotelog"
	"github.com/matou-iot/matou/internal/shadow"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/thing"
)

// keepers makes the rooms that keep what devices ask of the platform, and
// joins them with the requests.
func (a *App) keepers(in *ingest.Ingest, recorder *trace.Recorder) {
	a.shadows = shadow.New(shadow.Options{
		Store: a.db, Registry: a.registry, Dialects: a.dialects, Teller: a.commands, Online: a.broker.Online, Log: a.log,
		Set: func(ctx context.Context, id registry.ID, values []thing.Argument) error {
			_, err := a.commands.Set(ctx, id, values, command.Order{})
			return err
		},
	})
	ingest.Handle(in, a.shadows.Update)
	ingest.Handle(in, a.shadows.Delete)
	ingest.Handle(in, a.shadows.Get)
	ingest.Handle(in, a.shadows.Wanted)
	ingest.Handle(in, a.shadows.Fulfilled)

	a.configs = remoteconfig.New(remoteconfig.Options{
		Store: a.db, Registry: a.registry, Dialects: a.dialects, Teller: a.commands, Base: a.filesURL(), Log: a.log,
	})
	ingest.Handle(in, a.configs.Ask)
	ingest.Handle(in, a.configs.Answered)
	a.doors.Handle("GET "+remoteconfig.Path+"{id}", a.configs.Download())

	a.logs = remotelog.New(remotelog.Options{
		Registry: a.registry, Dialects: a.dialects, Teller: a.commands, Trace: recorder, Log: a.log,
	})
	ingest.Handle(in, a.logs.Mode)
	ingest.Handle(in, a.logs.Take)
}

// filesURL is what the addresses of files begin with that devices fetch: the
// configured one, or the first device port.
func (a *App) filesURL() string {
	if a.config.Devices.URL != "" {
		return a.config.Devices.URL
	}
	host, p := a.publicHost(), port(a.devices[0])
	for _, ln := range a.devices { // firmware reads an address without a port best
		if port(ln) == httpPort {
			p = httpPort
		}
	}
	if p == httpPort {
		return "http://" + host
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(p))
}

const httpPort = 80
