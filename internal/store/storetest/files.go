package storetest

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/matou-iot/matou/internal/fileupload"
	"github.com/matou-iot/matou/internal/registry"
)

// A FileStore keeps files of the devices that it keeps.
type FileStore interface {
	registry.Store
	fileupload.Store
}

// Files is the contract of a fileupload.Store. open returns an empty store that
// lives as long as its test.
func Files(t *testing.T, open func(t *testing.T) FileStore) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, FileStore)
	}{
		{"files come back, one of each name", filesComeBack},
		{"files go one by one", filesGo},
		{"files of a device that is gone are known until they are forgotten", filesAreForgotten},
		{"files of nobody are lost", filesAreLost},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

func aFile(device, name, digest string) fileupload.File {
	return fileupload.File{
		Product: "p", Device: device, Name: name, Size: 7, SHA256: digest, CRC64: "01", Upload: device + name + digest, BegunAt: registryTime, ArrivedAt: registryTime,
	}
}

func saved(t *testing.T, s FileStore, all ...fileupload.File) {
	t.Helper()
	for _, f := range all {
		_, err := s.SaveFile(t.Context(), f)
		noError(t, err)
	}
}

func filesComeBack(t *testing.T, s FileStore) {
	withDevices(t, s)
	a, b, other := aFile("one", "a.log", "aa"), aFile("one", "b.log", "bb"), aFile("two", "a.log", "aa")
	allSet(t, a)
	saved(t, s, b, other)
	if replaced, err := s.SaveFile(t.Context(), a); err != nil || replaced != "" {
		t.Errorf("a new one replaces %q, %v", replaced, err)
	}
	again := a
	again.SHA256, again.Size, again.Upload = "cc", 9, "third"
	if replaced, err := s.SaveFile(t.Context(), again); err != nil || replaced != "aa" {
		t.Errorf("the second one replaces %q, %v", replaced, err)
	}
	if _, err := s.SaveFile(t.Context(), aFile("nobody", "a.log", "dd")); !errors.Is(err, fileupload.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
	if got, err := s.File(t.Context(), one, "a.log"); err != nil || got != again {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := s.FileOf(t.Context(), other.Upload); err != nil || got != other {
		t.Errorf("by its upload: %+v, %v", got, err)
	}
	_, err1 := s.File(t.Context(), one, "c.log")
	_, err2 := s.FileOf(t.Context(), a.Upload)
	if !errors.Is(err1, fileupload.ErrNotFound) || !errors.Is(err2, fileupload.ErrNotFound) {
		t.Errorf("none: %v; a replaced one: %v", err1, err2)
	}
	if all, err := s.Files(t.Context(), one, "", 10); err != nil || !reflect.DeepEqual(all, []fileupload.File{again, b}) {
		t.Errorf("listed %+v, %v", all, err)
	}
	if all, err := s.Files(t.Context(), one, "a.log", 1); err != nil || !reflect.DeepEqual(all, []fileupload.File{b}) {
		t.Errorf("behind the first: %+v, %v", all, err)
	}
	if all, err := s.Files(t.Context(), one, "", 1); err != nil || !reflect.DeepEqual(all, []fileupload.File{again}) {
		t.Errorf("the first: %+v, %v", all, err)
	}
	if u, err := s.FileUsage(t.Context(), one); err != nil || u != (fileupload.Usage{Files: 2, Bytes: 16}) {
		t.Errorf("used %+v, %v", u, err)
	}
	if u, err := s.FileUsage(t.Context(), registry.ID{Product: "p", Device: "none"}); err != nil || u != (fileupload.Usage{}) {
		t.Errorf("used by nobody %+v, %v", u, err)
	}
}

func filesGo(t *testing.T, s FileStore) {
	withDevices(t, s)
	saved(t, s, aFile("one", "a.log", "aa"), aFile("two", "a.log", "aa"))
	for _, device := range []string{"one", "two"} {
		if used, err := s.FileUsed(t.Context(), "aa"); err != nil || !used {
			t.Errorf("used by %s: %v, %v", device, used, err)
		}
		if digest, err := s.DeleteFile(t.Context(), registry.ID{Product: "p", Device: device}, "a.log"); err != nil || digest != "aa" {
			t.Errorf("deleted %q, %v", digest, err)
		}
	}
	if used, err := s.FileUsed(t.Context(), "aa"); err != nil || used {
		t.Errorf("used by nobody: %v, %v", used, err)
	}
	if _, err := s.DeleteFile(t.Context(), one, "a.log"); !errors.Is(err, fileupload.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func filesAreForgotten(t *testing.T, s FileStore) {
	withDevices(t, s)
	saved(t, s, aFile("one", "a.log", "aa"), aFile("one", "b.log", "bb"), aFile("two", "a.log", "cc"))
	noError(t, deleteDevice(t, s, one))
	if used, err := s.FileUsed(t.Context(), "aa"); err != nil || !used {
		t.Errorf("the device is gone, and so is its file: %v, %v", used, err)
	}
	digests, err := s.ForgetFiles(t.Context(), one)
	if slices.Sort(digests); err != nil || !slices.Equal(digests, []string{"aa", "bb"}) {
		t.Errorf("forgotten: %v, %v", digests, err)
	}
	if digests, err = s.ForgetFiles(t.Context(), registry.ID{Product: "p"}); err != nil || !slices.Equal(digests, []string{"cc"}) {
		t.Errorf("of the product: %v, %v", digests, err)
	}
	if digests, err = s.ForgetFiles(t.Context(), registry.ID{Product: "p"}); err != nil || len(digests) > 0 {
		t.Errorf("forgotten twice: %v, %v", digests, err)
	}
}

func filesAreLost(t *testing.T, s FileStore) {
	withDevices(t, s)
	saved(t, s, aFile("one", "a.log", "aa"), aFile("two", "a.log", "bb"))
	noError(t, deleteDevice(t, s, one))
	noError(t, s.ForgetLostFiles(t.Context()))
	lost, err1 := s.FileUsed(t.Context(), "aa")
	kept, err2 := s.FileUsed(t.Context(), "bb")
	if err := errors.Join(err1, err2); err != nil || lost || !kept {
		t.Errorf("lost %v, kept %v, %v", lost, kept, err)
	}
}
