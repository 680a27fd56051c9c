package fileupload

import (
	"context"
	"errors"
	"os"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// Files returns the files of a device in order of their names, and a cursor
// for the next page, "" where there is none.
func (s *Service) Files(ctx context.Context, id registry.ID, after string, limit int) ([]File, string, error) {
	if _, err := s.Registry.Device(ctx, id); err != nil {
		return nil, "", err
	}
	limit, err := registry.PageSize(limit)
	if err != nil {
		return nil, "", err
	}
	all, err := s.Store.Files(ctx, id, after, limit+1)
	if err != nil || len(all) <= limit {
		return all, "", err
	}
	return all[:limit], all[limit-1].Name, nil
}

// File returns a file of a device.
func (s *Service) File(ctx context.Context, id registry.ID, name string) (File, error) {
	if _, err := s.Registry.Device(ctx, id); err != nil {
		return File{}, err
	}
	f, err := s.Store.File(ctx, id, name)
	if errors.Is(err, ErrNotFound) {
		return File{}, noFile(id, name)
	}
	return f, err
}

// Open opens the content of a file. Close it after use; it stays readable when
// the file is deleted or replaced meanwhile.
func (s *Service) Open(ctx context.Context, id registry.ID, name string) (File, *os.File, error) {
	s.changes.Lock() // the file must not go between the two
	defer s.changes.Unlock()
	f, err := s.File(ctx, id, name)
	if err != nil {
		return File{}, nil, err
	}
	content, err := s.content.Open(f.SHA256)
	return f, content, err
}

// Delete deletes a file of a device.
func (s *Service) Delete(ctx context.Context, id registry.ID, name string) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	digest, err := s.Store.DeleteFile(ctx, id, name)
	if errors.Is(err, ErrNotFound) {
		return noFile(id, name)
	}
	if err != nil {
		return err
	}
	s.removeUnused(ctx, digest)
	return nil
}

func noFile(id registry.ID, name string) error {
	return fault.NotFound("device %s has no file %q", id, name)
}

// Forget deletes the files and uploads of a device that is gone, or of all of
// a product where id.Device is empty.
func (s *Service) Forget(ctx context.Context, id registry.ID) error {
	s.mu.Lock()
	var under []*upload
	for _, u := range s.uploads {
		if u.Product == id.Product && (id.Device == "" || u.Device == id.Device) {
			under = append(under, u)
		}
	}
	s.mu.Unlock()
	for _, u := range under {
		s.drop(u)
	}
	s.changes.Lock()
	defer s.changes.Unlock()
	digests, err := s.Store.ForgetFiles(ctx, id)
	for _, digest := range digests {
		s.removeUnused(ctx, digest)
	}
	return err
}
