package ota_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/ota"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

func digests(body string) (string, string) {
	a, b := md5.Sum([]byte(body)), sha256.Sum256([]byte(body))
	return hex.EncodeToString(a[:]), hex.EncodeToString(b[:])
}

// content is the names of what lies in the directory of packages.
func (h *house) content() (names []string) {
	h.Helper()
	entries, err := os.ReadDir(h.options.Dir)
	if err != nil {
		h.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "url.key" {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestUploadsThatAreNotWhatTheyWereToBeLeaveNothing(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(0)
		body := strings.Repeat("firmware", 1000)
		m, s := digests(body)
		full := false
		h.options.Room = func() error {
			if full {
				return fault.Unavailable("the disk is full")
			}
			return nil
		}
		h.restart()
		for _, tt := range []struct {
			name  string
			r     io.Reader
			want  ota.Want
			full  bool
			kind  fault.Kind
			words string
		}{
			{"cut short, by its length", strings.NewReader(body[:7999]), ota.Want{Size: 8000}, false, fault.KindInvalid, "cut short: 7999 of 8000 bytes"},
			{"cut short, by the connection", io.MultiReader(strings.NewReader(body[:500]), iotest.ErrReader(io.ErrUnexpectedEOF)), ota.Want{}, false, fault.KindInvalid, "cut short after 500 bytes"},
			{"broken off", io.MultiReader(strings.NewReader(body[:500]), iotest.ErrReader(errors.New("reset"))), ota.Want{}, false, fault.KindInvalid, "broke off after 500 bytes"},
			{"longer than it says", strings.NewReader(body), ota.Want{Size: 7999}, false, fault.KindInvalid, "8000 of 7999"},
			{"another MD5", strings.NewReader(body), ota.Want{MD5: s[:32]}, false, fault.KindInvalid, "has the MD5 " + m},
			{"another SHA256", strings.NewReader(body), ota.Want{SHA256: m + m}, false, fault.KindInvalid, "has the SHA256 " + s},
			{"too large", io.LimitReader(zeros{}, 1<<20+1), ota.Want{}, false, fault.KindInvalid, "larger than 1048576 bytes"},
			{"says that it is too large", strings.NewReader(body), ota.Want{Size: 1 << 21}, false, fault.KindInvalid, "larger than 1048576 bytes"},
			{"without end", zeros{}, ota.Want{}, false, fault.KindInvalid, "larger than"},
			{"empty", strings.NewReader(""), ota.Want{}, false, fault.KindInvalid, "empty"},
			{"a full disk", strings.NewReader(body), ota.Want{}, true, fault.KindUnavailable, "disk"},
		} {
			full = tt.full
			u, err := h.Begin(h.Context(), ota.Package{Product: lamp, Version: "2.0"})
			if err != nil {
				t.Fatal(err)
			}
			err = u.File(h.Context(), "a.bin", tt.r, tt.want)
			if fault.KindOf(err) != tt.kind || !strings.Contains(fault.Sentence(err), tt.words) {
				t.Errorf("%s: %v", tt.name, err)
			}
			if _, err := u.Commit(h.Context()); fault.KindOf(err) != fault.KindInvalid {
				t.Errorf("%s: a package without a file was taken: %v", tt.name, err)
			}
			u.Close()
			if left := h.content(); len(left) > 0 {
				t.Errorf("%s left %q", tt.name, left)
			}
		}
		full = false
		// One whose digests are right, in capitals, is taken; one that nobody
		// commits is gone.
		u, err := h.Begin(h.Context(), ota.Package{Product: lamp, Version: "2.0", Extra: json.RawMessage(`{ "k" : 1 }`)})
		if err != nil {
			t.Fatal(err)
		}
		if err := u.File(h.Context(), "../路径/a b.bin", strings.NewReader(body), ota.Want{Size: 8000, MD5: strings.ToUpper(m), SHA256: strings.ToUpper(s)}); err != nil {
			t.Fatal(err)
		}
		list, _, _ := h.Packages(h.Context(), ota.PackageQuery{Product: lamp})
		if len(list) != 0 {
			t.Error("the package is seen before it is committed")
		}
		p, err := u.Commit(h.Context())
		u.Close()
		if err != nil || p.Module != "default" || p.Method != "md5" || string(p.Extra) != `{"k":1}` || p.Files[0] != (ota.File{Name: "a_b.bin", Size: 8000, MD5: m, SHA256: s}) {
			t.Errorf("%+v %v", p, err)
		}
		if got := h.content(); len(got) != 1 || got[0] != s {
			t.Errorf("%q", got)
		}
		other, _ := h.Begin(h.Context(), ota.Package{Product: lamp, Version: "2.1"})
		other.File(h.Context(), "b", strings.NewReader("x"), ota.Want{})
		other.Close()
		if got := h.content(); len(got) != 1 {
			t.Errorf("an upload that was given up left %q", got)
		}
	})
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestPackagesThatCannotBe(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(0)
		h.product("plain", "mqtt")
		h.pack(ota.Package{Version: "1.0"}, "firmware")
		long := strings.Repeat("x", 101)
		for _, tt := range []struct {
			field string
			p     ota.Package
			kind  fault.Kind
		}{
			{"version", ota.Package{}, fault.KindInvalid},
			{"version", ota.Package{Version: "v 1"}, fault.KindInvalid},
			{"version", ota.Package{Version: long[:65]}, fault.KindInvalid},
			{"version", ota.Package{Version: "1.0"}, fault.KindConflict},
			{"module", ota.Package{Version: "2", Module: "主"}, fault.KindInvalid},
			{"source", ota.Package{Version: "2", Source: "2"}, fault.KindInvalid},
			{"source", ota.Package{Version: "2", Source: "/"}, fault.KindInvalid},
			{"method", ota.Package{Version: "2", Method: "crc"}, fault.KindInvalid},
			{"name", ota.Package{Version: "2", Name: long}, fault.KindInvalid},
			{"desc", ota.Package{Version: "2", Desc: long}, fault.KindInvalid},
			{"extra", ota.Package{Version: "2", Extra: json.RawMessage(`[]`)}, fault.KindInvalid},
			{"extra", ota.Package{Version: "2", Extra: json.RawMessage(`{"a":"` + strings.Repeat("x", 4096) + `"}`)}, fault.KindInvalid},
			{"", ota.Package{Product: "plain", Version: "2"}, fault.KindInvalid},
			{"", ota.Package{Product: "nobody", Version: "2"}, fault.KindNotFound},
		} {
			if tt.p.Product == "" {
				tt.p.Product = lamp
			}
			u, err := h.Begin(h.Context(), tt.p)
			if u != nil {
				u.Close()
			}
			var field string
			if f, ok := errors.AsType[*fault.Error](err); ok {
				field = f.Field
			}
			if fault.KindOf(err) != tt.kind || field != tt.field {
				t.Errorf("%+v: %v in %q", tt.p, err, field)
			}
		}
		// Eight at a time.
		var open []*ota.Upload
		for range 8 {
			u, err := h.Begin(h.Context(), ota.Package{Product: lamp, Version: "3"})
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, u)
		}
		_, err := h.Begin(h.Context(), ota.Package{Product: lamp, Version: "3"})
		hasKind(t, err, fault.KindExhausted)
		// Of two uploads of one version the first to be committed wins.
		for i, u := range open[:2] {
			if err := u.File(h.Context(), "a", strings.NewReader("x"), ota.Want{}); err != nil {
				t.Fatal(err)
			}
			_, err := u.Commit(h.Context())
			hasKind(t, err, []fault.Kind{"", fault.KindConflict}[i])
		}
		// Two files of one name cannot be told apart.
		open[2].File(h.Context(), "a", strings.NewReader("x"), ota.Want{})
		hasKind(t, open[2].File(h.Context(), "b/a", strings.NewReader("y"), ota.Want{}), fault.KindInvalid)
		for _, u := range open {
			u.Close()
			u.Close()
		}
	})
}

func TestContentGoesWithItsLastPackage(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1)
		one, two := h.pack(ota.Package{Version: "1.0"}, "firmware"), h.pack(ota.Package{Version: "2.0"}, "firmware")
		j := h.job(two, ota.Plan{})
		if err := h.DeletePackage(h.Context(), lamp, one.ID); err != nil {
			t.Fatal(err)
		}
		if len(h.content()) != 1 {
			t.Error("content that is needed is gone")
		}
		hasKind(t, h.DeletePackage(h.Context(), lamp, two.ID), fault.KindConflict)
		if err := h.Cancel(h.Context(), lamp, j.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.DeletePackage(h.Context(), lamp, two.ID); err != nil {
			t.Fatal(err)
		}
		hasKind(t, h.DeletePackage(h.Context(), lamp, two.ID), fault.KindNotFound)
		if left := h.content(); len(left) != 0 {
			t.Errorf("left: %q", left)
		}
		// A product takes its packages with it.
		h.pack(ota.Package{Version: "3.0"}, "other")
		h.job(h.pack(ota.Package{Version: "4.0"}, "another"), ota.Plan{Dynamic: true})
		if err := h.registry.DeleteProduct(h.Context(), lamp, true); err != nil {
			t.Fatal(err)
		}
		if err := h.Forget(h.Context(), lamp); err != nil {
			t.Fatal(err)
		}
		if left := h.content(); len(left) != 0 {
			t.Errorf("left: %q", left)
		}
	})
}

func TestWhatACrashLeftOfUploadsIsRemoved(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(0)
		p := h.pack(ota.Package{Version: "1.0"}, "firmware")
		_, orphan := digests("orphan")
		for _, name := range []string{"upload-123", orphan, "somebody's notes.txt"} {
			if err := os.WriteFile(filepath.Join(h.options.Dir, name), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		h.restart()
		if got := strings.Join(h.content(), " "); got != p.Files[0].SHA256+" somebody's notes.txt" && got != "somebody's notes.txt "+p.Files[0].SHA256 {
			t.Errorf("%q", got)
		}
	})
}

// fetch asks the handler for an address.
func (h *house) fetch(method, url, ranges string) *httptest.ResponseRecorder {
	h.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET "+ota.DownloadPath+"{token}", h.Download())
	r := httptest.NewRequest(method, url, nil)
	if ranges != "" {
		r.Header.Set("Range", ranges)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w
}

func (h *house) upgrade(name string) *dialect.Upgrade {
	h.Helper()
	u, err := h.Asked(h.Context(), &dialect.UpgradeQuery{Ask: ask(name), Module: "default"})
	if err != nil || u == nil {
		h.Fatal(u, err)
	}
	return u
}

func TestDownloadByAddress(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1)
		body := strings.Repeat("0123456789", 100)
		j := h.job(h.pack(ota.Package{Version: "2.0"}, body), ota.Plan{})
		url := h.upgrade("d000").Files[0].URL
		w := h.fetch("GET", url, "")
		if w.Code != 200 || w.Body.String() != body || w.Header().Get("Content-Length") != "1000" || w.Header().Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%d %v", w.Code, w.Header())
		}
		if w = h.fetch("HEAD", url, ""); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "1000" {
			t.Errorf("HEAD: %d %v", w.Code, w.Header())
		}
		for _, tt := range []struct {
			ranges, want, says string
			code               int
		}{
			{"bytes=0-9", "0123456789", "bytes 0-9/1000", 206},
			{"bytes=995-", "56789", "bytes 995-999/1000", 206},
			{"bytes=-3", "789", "bytes 997-999/1000", 206},
			{"bytes=990-5000", "0123456789", "bytes 990-999/1000", 206},
			{"bytes=1000-", "", "bytes */1000", 416},
		} {
			w := h.fetch("GET", url, tt.ranges)
			if w.Code != tt.code || tt.code == 206 && w.Body.String() != tt.want || w.Header().Get("Content-Range") != tt.says {
				t.Errorf("%s: %d %q %v", tt.ranges, w.Code, w.Body, w.Header())
			}
		}
		for _, bad := range []string{url[:len(url)-1], url + "x", "http://h/firmware/1-1-zzzzzz-AAAAAAAAAAAAAAAAAAAAAA", "http://h/firmware/x", strings.Replace(url, "-1-", "-2-", 1)} {
			if w := h.fetch("GET", bad, ""); w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", bad, w.Code)
			}
		}
		h.restart() // addresses outlive it
		if w := h.fetch("GET", url, ""); w.Code != 200 {
			t.Errorf("after a restart: %d", w.Code)
		}
		rest(24*time.Hour + time.Second)
		if w := h.fetch("GET", url, ""); w.Code != http.StatusGone || !strings.Contains(w.Body.String(), "expired") {
			t.Errorf("a day later: %d %s", w.Code, w.Body)
		}
		line, _ := h.recorder.Timeline(lamp, "d000", trace.Query{Limit: 1})
		if line[0].Code != "ota-url-expired" || line[0].Kind != trace.Fault || line[0].SentenceZH == "" {
			t.Errorf("%+v", line[0])
		}
		url = h.upgrade("d000").Files[0].URL
		if w := h.fetch("GET", url, ""); w.Code != 200 {
			t.Errorf("a new address: %d", w.Code)
		}
		if err := h.Cancel(h.Context(), lamp, j.ID); err != nil {
			t.Fatal(err)
		}
		if w := h.fetch("GET", url, ""); w.Code != http.StatusGone {
			t.Errorf("of a cancelled job: %d", w.Code)
		}
		line, _ = h.recorder.Timeline(lamp, "d000", trace.Query{Limit: 1})
		detail, err := json.Marshal(line[0].Detail)
		if err != nil || line[0].Code != "ota-download-refused" || line[0].SentenceZH == "固件下载被拒绝："+line[0].Sentence || !strings.Contains(string(detail), `"field":"task"`) {
			t.Errorf("a fetch of what is over: %+v", line[0])
		}
	})
}

func TestBlocks(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(2)
		body := strings.Repeat("0123456789", 100)
		j := h.job(h.pack(ota.Package{Version: "2.0"}, body), ota.Plan{Protocol: "mqtt"}, "d000")
		u := h.upgrade("d000")
		if !u.OverMQTT || u.Files[0].URL != "" {
			t.Fatalf("%+v", u)
		}
		read := func(name string, q dialect.FileRead) (dialect.Block, error) {
			q.Ask = ask(name)
			if q.Stream == 0 {
				q.Stream = u.Task
			}
			return h.Read(h.Context(), &q)
		}
		var all bytes.Buffer
		token := ""
		for all.Len() < len(body) {
			b, err := read("d000", dialect.FileRead{File: 1, Token: token, Offset: int64(all.Len()), Size: 256})
			if err != nil || b.Length != 1000 || b.Offset != int64(all.Len()) || len(b.Data) == 0 {
				t.Fatal(b, err)
			}
			token = b.Token
			all.Write(b.Data)
		}
		if all.String() != body {
			t.Error("the blocks are not the file")
		}
		for _, tt := range []struct {
			name string
			q    dialect.FileRead
			want fault.Kind
			code string
		}{
			{"d001", dialect.FileRead{File: 1, Size: 1}, fault.KindNotFound, "ota-no-upgrade"}, // another's
			{"d000", dialect.FileRead{Stream: 99, File: 1, Size: 1}, fault.KindNotFound, "ota-no-upgrade"},
			{"d000", dialect.FileRead{File: 2, Size: 1}, fault.KindNotFound, "ota-no-file"},
			{"d000", dialect.FileRead{File: 0, Size: 1}, fault.KindNotFound, "ota-no-file"},
			{"d000", dialect.FileRead{File: 1, Size: 1, Offset: 1000}, fault.KindInvalid, "ota-file-offset"},
			{"d000", dialect.FileRead{File: 1, Size: 1, Offset: -1}, fault.KindInvalid, "ota-file-offset"},
			{"d000", dialect.FileRead{File: 1}, fault.KindInvalid, "ota-file-size"},
			{"d000", dialect.FileRead{File: 1, Size: 1, Token: "old"}, fault.KindConflict, "ota-file-changed"},
		} {
			_, err := read(tt.name, tt.q)
			why, ok := errors.AsType[*dialect.Refusal](err)
			if fault.KindOf(err) != tt.want || !ok || why.Code != tt.code || why.SentenceZH == "" {
				t.Errorf("%s %+v: %v", tt.name, tt.q, err)
			}
		}
		h.inform("d000", "2.0")
		if _, err := read("d000", dialect.FileRead{File: 1, Size: 1}); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("of an upgrade that is over: %v", err)
		}
		if h.over(j) != ota.Completed {
			t.Errorf("the job is %s", h.over(j))
		}
		big, err := h.Begin(h.Context(), ota.Package{Product: lamp, Version: "3.0"})
		if err != nil {
			t.Fatal(err)
		}
		defer big.Close()
		for _, name := range []string{"a", "b"} {
			if err := big.File(h.Context(), name, strings.NewReader(name), ota.Want{}); err != nil {
				t.Fatal(err)
			}
		}
		p, err := big.Commit(h.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.CreateJob(h.Context(), lamp, p.ID, ota.Plan{Protocol: "mqtt"}, nil)
		hasKind(t, err, fault.KindInvalid) // several files do not go over MQTT
		h.job(p, ota.Plan{}, "d001")
		if u := h.upgrade("d001"); len(u.Files) != 2 || h.fetch("GET", u.Files[1].URL, "").Body.String() != "b" {
			t.Errorf("%+v", u)
		}
	})
}

func TestWhatDevicesSayWrongly(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1)
		say := func(p dialect.UpgradeProgress) error {
			p.Ask = ask("d000")
			_, err := h.Progressed(h.Context(), &p)
			return err
		}
		hasKind(t, say(dialect.UpgradeProgress{Module: "default", Percent: 5}), fault.KindNotFound)
		hasKind(t, say(dialect.UpgradeProgress{Task: 7, Percent: 5}), fault.KindNotFound)
		for i := range ota.MaxModules + 1 {
			_, err := h.Report(h.Context(), &dialect.VersionReport{Ask: ask("d000"), Module: "m" + strings.Repeat("x", i), Version: "1"})
			if want := map[bool]fault.Kind{true: fault.KindExhausted}[i == ota.MaxModules]; fault.KindOf(err) != want {
				t.Errorf("module %d: %v", i, err)
			}
		}
		_, err := h.Report(h.Context(), &dialect.VersionReport{Ask: ask("d000"), Module: "mx", Version: strings.Repeat("1", 65)})
		hasKind(t, err, fault.KindInvalid)
		j := h.job(h.pack(ota.Package{Version: "2.0"}, "firmware"), ota.Plan{})
		u := h.upgrade("d000")
		if err := say(dialect.UpgradeProgress{Task: u.Task, Done: true}); err != nil {
			t.Fatal(err)
		}
		h.want(j, "d000 SUCCEEDED 100")
		hasKind(t, say(dialect.UpgradeProgress{Task: u.Task, Percent: 5}), fault.KindConflict)
		if v, err := h.Versions(h.Context(), registry.ID{Product: lamp, Device: "d000"}); err != nil || v[0].Version != "2.0" {
			t.Error(v, err)
		}
	})
}

func TestNothingHangsWhenItStops(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1)
		h.stop()
		_, err := h.Report(h.Context(), &dialect.VersionReport{Ask: ask("d000"), Module: "default", Version: "1"})
		hasKind(t, err, fault.KindUnavailable)
		ctx, cancel := context.WithCancel(h.Context())
		cancel()
		if _, err := h.Report(ctx, &dialect.VersionReport{Ask: ask("d000"), Module: "default", Version: "1"}); err == nil {
			t.Error("it was reported to nobody")
		}
		h.start()
	})
}
