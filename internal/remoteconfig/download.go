package remoteconfig

import (
	"bytes"
	"errors"
	"net/http"
)

// Download serves the files at Path: whoever knows the ID of a version gets
// it, whole or in ranges. Register it for GET requests with {id} in the
// pattern.
func (s *Service) Download() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := s.Store.Config(r.Context(), r.PathValue("id"))
		switch {
		case errors.Is(err, ErrNotFound):
			http.Error(w, "there is no such configuration, or no longer", http.StatusNotFound)
			return
		case err != nil:
			s.Log.Error("remote configuration", "error", err)
			http.Error(w, "the configuration cannot be read", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"`+v.SHA256+`"`)
		http.ServeContent(w, r, "", v.CreatedAt, bytes.NewReader(v.Content))
	})
}
