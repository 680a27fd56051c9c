package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matou-iot/matou/internal/fileupload"
)

// A deviceFile is one as the API shows it.
type deviceFile fileupload.File

type listFilesInput struct {
	DevicePath
	Paging
}

func (a *api) listFiles(ctx context.Context, in *listFilesInput) (list[deviceFile], error) {
	all, next, err := a.Files.Files(ctx, in.id(), in.After, in.Limit)
	views := make([]deviceFile, len(all))
	for i := range all {
		views[i] = deviceFile(all[i])
	}
	return page(views, next), err
}

// FilePath names a file of a device.
type FilePath struct {
	DevicePath
	File string `path:"file" doc:"Name of the file"`
}

func (a *api) showFile(ctx context.Context, in *FilePath) (deviceFile, error) {
	f, err := a.Files.File(ctx, in.id(), in.File)
	return deviceFile(f), err
}

func (a *api) deleteFile(ctx context.Context, in *FilePath) error {
	return a.Files.Delete(ctx, in.id(), in.File)
}

// ranges describes a body that may be asked for in parts.
func ranges(o *huma.Operation) {
	bytes := map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	o.Responses = map[string]*huma.Response{
		"200": {Description: "The file; its ETag is its SHA256", Content: bytes},
		"206": {Description: "The bytes that Range names", Content: bytes},
	}
}

// downloadFile writes a file, or the part of it that is asked for. Names have
// no character that a header would mind.
func (a *api) downloadFile(ctx context.Context, in *FilePath) (*huma.StreamResponse, error) {
	f, content, err := a.Files.Open(ctx, in.id(), in.File)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer content.Close()
		r, w := request(c)
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", `attachment; filename="`+f.Name+`"`)
		h.Set("ETag", `"`+f.SHA256+`"`)
		h.Set("Cache-Control", "private, no-transform")
		http.ServeContent(w, r, "", f.ArrivedAt, content)
	}}, nil
}
