package app

import (
	"context"
	"math"

	"github.com/matou-iot/matou/internal/fileupload"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// openFiles makes the service of files that devices upload.
func (a *App) openFiles(in *ingest.Ingest, recorder *trace.Recorder) error {
	c := &a.config.Files
	var err error
	a.files, err = fileupload.New(context.Background(), fileupload.Options{
		Store: a.db, Registry: a.registry, Feed: a.feed, Trace: recorder, Dir: a.config.path("files"), Room: a.disk.room, Log: a.log,
		Limits: fileupload.Limits{
			FileBytes: c.MaxFileBytes, Files: c.DeviceFiles, DeviceBytes: c.DeviceBytes, DeviceUploads: c.DeviceUploads, Uploads: c.Uploads,
		},
	})
	if err != nil {
		return err
	}
	ingest.Handle(in, a.files.Begin)
	ingest.Handle(in, a.files.Write)
	ingest.Handle(in, a.files.Cancel)
	return nil
}

// defaultFiles are the room's own.
func defaultFiles() Files {
	l := fileupload.DefaultLimits()
	return Files{MaxFileBytes: l.FileBytes, DeviceFiles: l.Files, DeviceBytes: l.DeviceBytes, DeviceUploads: l.DeviceUploads, Uploads: l.Uploads}
}

// check finds values that make no sense, with their keys.
func (f *Files) check(bad func(key, format string, args ...any)) {
	for _, n := range []struct {
		key   string
		value int64
		most  int64
	}{
		{"maxFileBytes", f.MaxFileBytes, maxBytes}, {"deviceFiles", int64(f.DeviceFiles), math.MaxInt32}, {"deviceBytes", f.DeviceBytes, maxBytes},
		{"deviceUploads", int64(f.DeviceUploads), math.MaxInt32}, {"uploads", int64(f.Uploads), math.MaxInt32},
	} {
		if n.value < 1 || n.value > n.most {
			bad("files."+n.key, "%d is not from 1 to %d", n.value, n.most)
		}
	}
}

// forgetFiles deletes the files of a device, or of a product, that is gone.
func (a *App) forgetFiles(id registry.ID) {
	if err := a.files.Forget(context.Background(), id); err != nil {
		a.log.Error("files of a deleted device; they go at the next start", "product", id.Product, "device", id.Device, "error", err)
	}
}
