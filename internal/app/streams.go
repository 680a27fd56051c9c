package app

import (
	"github.com/matou-iot/matou/internal/deviceimage"
	"github.com/matou-iot/matou/internal/ingest"
)

// streams joins what devices of data streams have beside their points:
// commands that they answer with bytes, and images.
func (a *App) streams(in *ingest.Ingest) {
	ingest.Handle(in, a.commands.Respond)
	a.images = deviceimage.New(deviceimage.Options{Store: a.db, Registry: a.registry, Teller: a.commands})
	ingest.Handle(in, a.images.Update)
	ingest.Handle(in, a.images.Asked)
}
