package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const helloSHA = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

// TestAFileIsFetchedWholeOrNotAtAll: into a file, to standard output, and not
// at all where other bytes came than the server said.
func TestAFileIsFetchedWholeOrNotAtAll(t *testing.T) {
	s := newAPIServer(t)
	const at = "/products/a1NightLamp/devices/lamp01/files/a.log"
	s.on("GET "+at, answer(200, `{"name":"a.log","size":5,"sha256":"`+helloSHA+`","crc64":"01","arrivedAt":"2026-01-02T03:04:05.678Z"}`))
	came := "hello"
	s.on("GET "+at+"/content", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(came)) })
	to := filepath.Join(t.TempDir(), "a.log")
	get := func(more ...string) string {
		return s.outcome(append(with("device file get a1NightLamp/lamp01 a.log"), more...), "")
	}
	if got := get("-o", "-"); !strings.Contains(got, "-- stdout --\nhello-- stderr --\n-- exit --\n0\n") {
		t.Errorf("to standard output: %s", got)
	}
	if got := get("-o", to); !strings.Contains(got, to+", 5 B") || !strings.Contains(got, "-- exit --\n0\n") {
		t.Errorf("into a file: %s", got)
	}
	if got := get("-o", to); !strings.Contains(got, "--force") || !strings.Contains(got, "-- exit --\n1\n") {
		t.Errorf("over a file: %s", got)
	}
	if got := get("-o", to, "--force", "--json"); !strings.Contains(got, `"file": "`+to+`"`) || !strings.Contains(got, `"size": 5`) {
		t.Errorf("over a file, as JSON: %s", got)
	}
	came = "hallo"
	if got := get("-o", to, "--force"); !strings.Contains(got, "SHA256") || !strings.Contains(got, "-- exit --\n1\n") {
		t.Errorf("other bytes: %s", got)
	}
	kept, err := os.ReadFile(to)
	left, err2 := os.ReadDir(filepath.Dir(to))
	if err != nil || err2 != nil || string(kept) != "hello" || len(left) != 1 {
		t.Errorf("%q is kept among %v; %v, %v", kept, left, err, err2)
	}
}
