package content_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/content"
	"github.com/matou-iot/matou/internal/fault"
)

const helloSHA = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func nobody(string) (bool, error) { return false, nil }

func open(t *testing.T, dir string, room func() error, used func(string) (bool, error)) *content.Dir {
	t.Helper()
	d, err := content.Open(dir, room, used)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestAFileIsThereWholeOrNotAtAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	d := open(t, dir, nil, nobody)
	for _, tt := range []struct {
		name string
		r    io.Reader
		want content.Want
		err  func(error) bool
	}{
		{"too large", strings.NewReader("hello, all"), content.Want{}, func(err error) bool { return errors.Is(err, content.ErrTooLarge) }},
		{"said to be too large", strings.NewReader("hello"), content.Want{Size: 10}, func(err error) bool { return errors.Is(err, content.ErrTooLarge) }},
		{"cut short", strings.NewReader("hell"), content.Want{Size: 5}, func(err error) bool { return fault.KindOf(err) == fault.KindInvalid }},
		{"empty", strings.NewReader(""), content.Want{}, func(err error) bool { return fault.KindOf(err) == fault.KindInvalid }},
		{"another", strings.NewReader("hallo"), content.Want{SHA256: helloSHA}, func(err error) bool { return fault.KindOf(err) == fault.KindInvalid }},
	} {
		if _, err := d.Stage(t.Context(), content.File{Name: "f"}, tt.r, tt.want, 8); !tt.err(err) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	s, err := d.Stage(t.Context(), content.File{Name: "f"}, strings.NewReader("hello"), content.Want{Size: 5, SHA256: strings.ToUpper(helloSHA)}, 8)
	if err != nil || s.File != (content.File{Name: "f", Size: 5, MD5: "5d41402abc4b2a76b9719d911017c592", SHA256: helloSHA}) {
		t.Fatalf("%+v, %v", s.File, err)
	}
	if len(d.Digests()) > 0 {
		t.Error("it is there before it is kept")
	}
	if err := d.Keep(s); err != nil {
		t.Fatal(err)
	}
	f, err := d.Open(helloSHA)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, []byte("hello")) {
		t.Errorf("%q, %v", got, err)
	}
	if got := names(t, dir); len(got) != 1 || got[0] != helloSHA {
		t.Errorf("the directory holds %v", got)
	}
	if err := errors.Join(d.Remove(helloSHA), d.Remove(helloSHA)); err != nil {
		t.Error(err)
	}
	if _, err := d.Open(helloSHA); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("a removed file: %v", err)
	}
}

func TestWhatACrashLeftIsRemoved(t *testing.T) {
	dir := t.TempDir()
	unused := strings.Repeat("ab", 32)
	for _, name := range []string{helloSHA, unused, "upload-1234", "url.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("hello"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, dir, nil, func(digest string) (bool, error) { return digest == helloSHA, nil })
	if got := strings.Join(names(t, dir), " "); got != helloSHA+" url.key" {
		t.Errorf("the directory holds %s", got)
	}
}

func TestAFullDiskStopsAFile(t *testing.T) {
	d := open(t, t.TempDir(), func() error { return fault.Unavailable("make room") }, nobody)
	if _, err := d.Stage(t.Context(), content.File{}, strings.NewReader("hello"), content.Want{}, 8); fault.KindOf(err) != fault.KindUnavailable {
		t.Error(err)
	}
}
