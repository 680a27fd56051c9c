package app

import (
	"context"
	"net/http"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/ota"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// openUpgrades makes the service of upgrades, its endpoints on the device
// ports, and the requests of devices that it serves.
func (a *App) openUpgrades(in *ingest.Ingest, recorder *trace.Recorder) error {
	var err error
	a.upgrades, err = ota.New(context.Background(), ota.Options{
		Store: a.db.OTA(), Registry: a.registry, Dialects: a.dialects, Feed: a.feed, Trace: recorder, Pusher: a.commands,
		Dir: a.config.path("ota"), Room: a.disk.room, URL: a.downloadURL(), URLLife: a.config.OTA.URLLife,
		MaxPackageBytes: a.config.OTA.MaxPackageBytes, Log: a.log,
	})
	if err != nil {
		return err
	}
	a.doors.Handle("GET "+ota.DownloadPath+"{token}", a.upgrades.Download())
	fuse := &ota.OneNET{Service: a.upgrades, Verify: verifyToken(a.gate)}
	fuse.Register(a.doors.Handle)

	ingest.Handle(in, a.upgrades.Report)
	ingest.Handle(in, a.upgrades.Progressed)
	ingest.Handle(in, a.upgrades.Asked)
	ingest.Handle(in, a.upgrades.Heard)
	ingest.Handle(in, a.upgrades.Read)
	return nil
}

// downloadURL is what addresses of firmware begin with.
func (a *App) downloadURL() string {
	if a.config.OTA.URL != "" {
		return a.config.OTA.URL
	}
	return a.filesURL()
}

// verifyToken judges a OneNET token as the login of its device.
func verifyToken(g *gate.Gate) func(context.Context, *http.Request, string, string, string) (*dialect.Diagnosis, error) {
	return func(ctx context.Context, r *http.Request, product, device, token string) (*dialect.Diagnosis, error) {
		from, _ := broker.HTTPOrigin(r)
		const usual = 120 // seconds of keep-alive, for products that judge it
		opinion, err := g.Judge(ctx, &packet.Connect{
			Version: mqtt.V311, ClientID: device, HasUsername: true, Username: product, HasPassword: true, Password: []byte(token),
			KeepAlive: usual, CleanStart: true,
		}, from)
		return opinion.Diagnosis, err
	}
}
