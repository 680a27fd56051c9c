//go:build unix

package virtual

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestPTYCarriesEveryByteUnchanged(t *testing.T) {
	link := filepath.Join(t.TempDir(), "esp")
	p, err := OpenPTY(link)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(Options{Model: "esp8266", Speed: 50, Network: newWorld()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- m.Attach(ctx, p) }()
	go func() { done <- m.Run(ctx) }()
	// A host comes, goes, and comes again.
	for _, c := range []struct{ say, want string }{
		{"", "\r\nready\r\n"},
		{"AT\r\n", "AT\r\n\r\nOK\r\n"},
		{"ATE0\r\n", "ATE0\r\n\r\nOK\r\n"},
	} {
		host, err := os.OpenFile(link, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		host.WriteString(c.say)
		got := make([]byte, len(c.want))
		if _, err := io.ReadFull(host, got); err != nil || string(got) != c.want {
			t.Errorf("%q: %q, %v", c.say, got, err)
		}
		host.Close()
	}
	cancel()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Lstat(link); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link is still there: %v", err)
	}
}

func TestPTYReplacesLinksOnly(t *testing.T) {
	name := filepath.Join(t.TempDir(), "esp")
	if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPTY(name); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file in the way gives %v", err)
	}
	if b, _ := os.ReadFile(name); string(b) != "mine" {
		t.Errorf("the file holds %q now", b)
	}
	os.Remove(name)
	os.Symlink("/nowhere", name) // left behind by a crash
	p, err := OpenPTY(name)
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
}
