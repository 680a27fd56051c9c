package fileupload_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/fileupload"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/sqlite"
	"github.com/matou-iot/matou/internal/trace"
)

var lamp, other = registry.ID{Product: "a1NightLamp", Device: "lamp01"}, registry.ID{Product: "a1NightLamp", Device: "lamp02"}

// A said is a feed that remembers.
type said struct {
	files []record.File
	err   error
}

func (s *said) Append(r record.Record) feed.Ticket {
	if s.err != nil {
		return feed.Refused(s.err)
	}
	f, err := record.DecodeFile(r.Body)
	if err != nil || r.Kind != record.FileArrived {
		return feed.Refused(fmt.Errorf("kind %v, %w", r.Kind, err))
	}
	s.files = append(s.files, f)
	return feed.Ticket{}
}

// A bench is a service that can be started again.
type bench struct {
	*testing.T
	*fileupload.Service
	dir    string
	db     *sqlite.DB
	reg    *registry.Registry
	feed   *said
	now    time.Time
	full   error
	limits fileupload.Limits
}

func newBench(t *testing.T, l fileupload.Limits) *bench {
	t.Helper()
	b := &bench{T: t, dir: t.TempDir(), feed: &said{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), limits: l}
	var err error
	if b.db, err = sqlite.Open(filepath.Join(b.dir, "registry.db"), bytes.Repeat([]byte{7}, 32)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.db.Close() })
	b.reg = registry.New(registry.Options{Store: b.db})
	if _, err := b.reg.CreateProduct(t.Context(), registry.Product{Key: lamp.Product, Dialect: "aliyun"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []registry.ID{lamp, other} {
		if _, err := b.reg.CreateDevice(t.Context(), registry.Device{Product: id.Product, Name: id.Device}); err != nil {
			t.Fatal(err)
		}
	}
	b.restart()
	return b
}

func (b *bench) restart() {
	b.Helper()
	s, err := fileupload.New(b.Context(), fileupload.Options{
		Store: b.db, Registry: b.reg, Feed: b.feed, Trace: trace.New(0), Dir: filepath.Join(b.dir, "files"), Limits: b.limits,
		Room: func() error { return b.full }, Now: func() time.Time { return b.now },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Service = s
}

// once lets Run do what it does at its start.
func (b *bench) once() {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	stop()
	if err := b.Service.Run(ctx); err != nil {
		b.Fatal(err)
	}
}

func askOf(id registry.ID) dialect.Ask {
	return dialect.Ask{Claim: dialect.Claim{Product: id.Product, Device: id.Device}}
}

func (b *bench) ask(id registry.ID, name string, size int, how dialect.Conflict) (dialect.Receiving, error) {
	return b.Begin(b.Context(), &dialect.FileBegin{Ask: askOf(id), Name: name, Size: int64(size), Conflict: how})
}

func (b *bench) begin(name string, size int) string {
	b.Helper()
	got, err := b.ask(lamp, name, size, dialect.Replace)
	if err != nil || got.ID == "" || got.Resumed {
		b.Fatalf("%+v, %v", got, err)
	}
	return got.ID
}

func (b *bench) send(id registry.ID, upload string, offset int, data []byte, last bool) (dialect.Received, error) {
	return b.Write(b.Context(), &dialect.FileWrite{Ask: askOf(id), Upload: upload, Offset: int64(offset), Data: data, Last: last})
}

func (b *bench) sent(upload string, offset int, data []byte, last, whole bool) {
	b.Helper()
	if got, err := b.send(lamp, upload, offset, data, last); err != nil || got.Whole != whole {
		b.Fatalf("%+v, %v", got, err)
	}
}

// uploaded uploads a file in one block.
func (b *bench) uploaded(id registry.ID, name, data string) {
	b.Helper()
	got, err := b.ask(id, name, len(data), dialect.Replace)
	if err != nil {
		b.Fatal(err)
	}
	if got, err := b.send(id, got.ID, 0, []byte(data), false); err != nil || !got.Whole {
		b.Fatalf("%+v, %v", got, err)
	}
}

func (b *bench) holds(id registry.ID, name, want string) {
	b.Helper()
	f, r, err := b.Open(b.Context(), id, name)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	sum := sha256.Sum256([]byte(want))
	if err != nil || string(got) != want || f.Size != int64(len(want)) || f.SHA256 != hex.EncodeToString(sum[:]) ||
		f.CRC64 != fmt.Sprintf("%016x", crc64.Checksum(got, crc64.MakeTable(crc64.ECMA))) {
		b.Fatalf("%+v holds %d bytes, %v", f, len(got), err)
	}
}

// refused wants an error of a cause, with all that the timeline shows.
func (b *bench) refused(what string, err, cause error) {
	b.Helper()
	r, ok := errors.AsType[*dialect.Refusal](err)
	if !ok || !errors.Is(err, cause) {
		b.Errorf("%s: %v, not %v", what, err, cause)
		return
	}
	d := r.Diagnosis
	for _, text := range []string{d.Code, d.Field, d.Expected, d.Sentence, d.SentenceZH, d.Advice, d.AdviceZH} {
		if text == "" {
			b.Errorf("%s: the timeline is told %+v", what, d)
		}
	}
}

func (b *bench) onDisk() (files, uploads int) {
	b.Helper()
	entries, err := os.ReadDir(filepath.Join(b.dir, "files"))
	under, err2 := os.ReadDir(filepath.Join(b.dir, "files", "incoming"))
	if err := errors.Join(err, err2); err != nil {
		b.Fatal(err)
	}
	return len(entries) - 1, len(under)
}

func block(c string, n int) []byte { return bytes.Repeat([]byte(c), n) }

func TestAFileOfKnownSize(t *testing.T) {
	b := newBench(t, fileupload.Limits{})
	whole := append(block("a", 300), "bc"...)
	check := fmt.Sprintf("%X", crc64.Checksum(whole, crc64.MakeTable(crc64.ECMA)))
	begun, err := b.Begin(t.Context(), &dialect.FileBegin{Ask: askOf(lamp), Name: "a.log", Size: 302, Check: check})
	if err != nil {
		t.Fatal(err)
	}
	b.sent(begun.ID, 0, whole[:300], false, false)
	if _, err := b.File(t.Context(), lamp, "a.log"); fault.KindOf(err) != fault.KindNotFound || len(b.feed.files) > 0 {
		t.Fatalf("half a file is there: %v", err)
	}
	got, err := b.send(lamp, begun.ID, 300, whole[300:], false)
	if err != nil || !got.Whole || got.Wanted != check || fmt.Sprintf("%X", got.Got) != check {
		t.Fatalf("%+v, %v", got, err)
	}
	b.holds(lamp, "a.log", string(whole))
	f, err := b.File(t.Context(), lamp, "a.log")
	if err != nil || !f.ArrivedAt.Equal(b.now) || len(b.feed.files) != 1 || b.feed.files[0] != (record.File{Name: "a.log", Size: 302, SHA256: f.SHA256}) {
		t.Errorf("%+v, told %+v, %v", f, b.feed.files, err)
	}
	_, err = b.send(lamp, begun.ID, 300, whole[300:], false)
	b.refused("the last block once more", err, dialect.ErrFileFinished)
	_, err = b.Cancel(t.Context(), &dialect.FileCancel{Ask: askOf(lamp), Upload: begun.ID})
	b.refused("a cancellation that comes late", err, dialect.ErrFileFinished)
	if files, uploads := b.onDisk(); files != 1 || uploads != 0 {
		t.Errorf("%d files, %d uploads", files, uploads)
	}
}

func TestAFileOfUnknownSize(t *testing.T) {
	b := newBench(t, fileupload.Limits{})
	id := b.begin("a.log", dialect.UnknownSize)
	b.sent(id, 0, block("a", 256), false, false)
	_, err := b.send(lamp, id, 256, block("a", 255), false)
	b.refused("a small block", err, dialect.ErrFileBlock)
	b.sent(id, 256, nil, true, true)
	b.holds(lamp, "a.log", string(block("a", 256)))

	id = b.begin("b.log", dialect.UnknownSize)
	_, err = b.send(lamp, id, 0, nil, true)
	b.refused("a file without a byte", err, dialect.ErrFileEmpty)
	_, err = b.send(lamp, id, 0, block("a", 1), true)
	b.refused("behind its end", err, dialect.ErrFileUnknown)
	b.sent(b.begin("c.log", dialect.UnknownSize), 0, []byte("c"), true, true)
	b.holds(lamp, "c.log", "c")
}

func TestBlocksThatDoNotFit(t *testing.T) {
	b := newBench(t, fileupload.Limits{FileBytes: 2000})
	id := b.begin("a.log", 1000)
	b.sent(id, 0, block("a", 300), false, false)
	b.sent(id, 0, block("a", 300), false, false) // its answer was lost
	for _, tt := range []struct {
		name   string
		offset int
		data   []byte
		cause  error
	}{
		{"others in the place of those", 0, block("b", 300), dialect.ErrFileOffset},
		{"fewer of them", 0, block("a", 299), dialect.ErrFileOffset},
		{"a gap", 301, block("a", 300), dialect.ErrFileOffset},
		{"beyond the end", 300, block("a", 701), dialect.ErrFileBeyond},
		{"too small", 300, block("a", 255), dialect.ErrFileBlock},
		{"nothing", 300, nil, dialect.ErrFileBlock},
	} {
		_, err := b.send(lamp, id, tt.offset, tt.data, false)
		b.refused(tt.name, err, tt.cause)
	}
	_, err := b.send(other, id, 300, block("a", 700), false)
	b.refused("of another device", err, dialect.ErrFileUnknown)
	b.sent(id, 300, block("a", 700), false, true)

	_, err = b.ask(lamp, "b.log", 2001, dialect.Replace)
	b.refused("a large file", err, dialect.ErrFileLarge)
	id = b.begin("b.log", dialect.UnknownSize)
	b.sent(id, 0, block("a", 1500), false, false)
	_, err = b.send(lamp, id, 1500, block("a", 501), true)
	b.refused("a file that grows large", err, dialect.ErrFileLarge)
	_, err = b.send(lamp, id, 1500, block("a", 500), true)
	b.refused("after that", err, dialect.ErrFileUnknown)
	if _, uploads := b.onDisk(); uploads != 0 {
		t.Errorf("%d uploads are left", uploads)
	}
}

func TestTheWholeIsChecked(t *testing.T) {
	b := newBench(t, fileupload.Limits{})
	b.uploaded(lamp, "a.log", "old")
	begun, err := b.Begin(t.Context(), &dialect.FileBegin{Ask: askOf(lamp), Name: "a.log", Size: 3, Check: "AB"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.send(lamp, begun.ID, 0, []byte("new"), false)
	b.refused("another check", err, dialect.ErrFileCheck)
	if got.Whole || got.Wanted != "AB" || got.Got != crc64.Checksum([]byte("new"), crc64.MakeTable(crc64.ECMA)) {
		t.Errorf("%+v", got)
	}
	b.holds(lamp, "a.log", "old")
	if files, uploads := b.onDisk(); files != 1 || uploads != 0 {
		t.Errorf("%d files, %d uploads", files, uploads)
	}
}

func TestFilesOfTheSameName(t *testing.T) {
	b := newBench(t, fileupload.Limits{})
	b.uploaded(lamp, "a.log", "old")
	for _, how := range []dialect.Conflict{dialect.Continue, dialect.Refuse} {
		_, err := b.ask(lamp, "a.log", 3, how)
		b.refused("a file that is there", err, dialect.ErrFileExists)
	}
	b.uploaded(other, "a.log", "another device's")
	first := b.begin("a.log", 600)
	b.sent(first, 0, block("n", 300), false, false)
	b.holds(lamp, "a.log", "old") // until the new one is whole
	if got, err := b.ask(lamp, "a.log", 600, dialect.Continue); err != nil || got != (dialect.Receiving{ID: first, Offset: 300, Resumed: true}) {
		t.Errorf("goes on with %+v, %v", got, err)
	}
	second, err := b.ask(lamp, "a.log", 700, dialect.Continue) // another file by its size
	if err == nil {
		t.Errorf("a file of another size goes on with %+v", second)
	}
	b.refused("instead of that", err, dialect.ErrFileExists)
	_, err = b.send(lamp, first, 300, block("n", 300), false)
	b.refused("what was given up", err, dialect.ErrFileUnknown)

	q := &dialect.FileBegin{Ask: askOf(lamp), Name: "a.log", Size: 600, Key: "k"}
	third, err1 := b.Begin(t.Context(), q)
	again, err2 := b.Begin(t.Context(), q)
	if err1 != nil || err2 != nil || again.ID != third.ID || !again.Resumed || again.Offset != 0 {
		t.Errorf("the same request twice: %+v, %+v; %v, %v", third, again, err1, err2)
	}
	q.Key = "another"
	if fourth, err := b.Begin(t.Context(), q); err != nil || fourth.ID == third.ID || fourth.Resumed {
		t.Errorf("another request: %+v, %v", fourth, err)
	}
	if _, uploads := b.onDisk(); uploads != 1 {
		t.Errorf("%d uploads of one name", uploads)
	}
}

func TestTheBounds(t *testing.T) {
	b := newBench(t, fileupload.Limits{Files: 2, DeviceBytes: 1000, DeviceUploads: 2, Uploads: 3})
	first := b.begin("a.log", 500)
	b.begin("b.log", 500)
	third := b.begin("c.log", 500)
	_, err := b.send(lamp, first, 0, block("a", 500), false)
	b.refused("the oldest of three", err, dialect.ErrFileUnknown)
	if _, err := b.ask(other, "a.log", 1, dialect.Replace); err != nil {
		t.Fatal(err)
	}
	_, err = b.ask(other, "b.log", 1, dialect.Replace)
	b.refused("a fourth of all", err, dialect.ErrFileBusy)
	b.sent(third, 0, block("a", 500), false, true)
	_, err = b.ask(lamp, "d.log", 501, dialect.Replace)
	b.refused("more bytes than a device may keep", err, dialect.ErrFileQuota)
	id := b.begin("d.log", dialect.UnknownSize)
	b.sent(id, 0, block("a", 400), false, false)
	_, err = b.send(lamp, id, 400, block("a", 101), true)
	b.refused("more bytes than it said", err, dialect.ErrFileQuota)
	b.uploaded(lamp, "d.log", "d")
	_, err = b.ask(lamp, "e.log", 1, dialect.Replace)
	b.refused("a third file", err, dialect.ErrFileQuota)
	b.uploaded(lamp, "d.log", "in the place of another")

	b.full = fault.Unavailable("make room")
	if _, err := b.ask(lamp, "d.log", 1, dialect.Replace); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("a full disk: %v", err)
	}
}

// TestAnUploadOutlivesTheServer: what was acknowledged is there after a crash,
// and the device learns where to go on.
func TestAnUploadOutlivesTheServer(t *testing.T) {
	b := newBench(t, fileupload.Limits{})
	id := b.begin("a.log", 900)
	b.sent(id, 0, block("a", 300), false, false)
	b.sent(id, 300, block("b", 300), false, false)
	path := filepath.Join(b.dir, "files", "incoming", id)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("\x00\x00\x01\x2cthe beginning of a block")
	f.Close()
	b.restart()
	b.once()
	if got, err := b.ask(lamp, "a.log", 900, dialect.Continue); err != nil || got != (dialect.Receiving{ID: id, Offset: 600, Resumed: true}) {
		t.Fatalf("goes on with %+v, %v", got, err)
	}
	b.sent(id, 300, block("b", 300), false, false) // its answer was lost in the crash
	b.sent(id, 600, block("c", 300), false, true)
	b.holds(lamp, "a.log", string(block("a", 300))+string(block("b", 300))+string(block("c", 300)))
}

// TestACrashWhileAFileArrives: all bytes were there, but not the file; then the
// file, but nobody had been told.
func TestACrashWhileAFileArrives(t *testing.T) {
	b := newBench(t, fileupload.Limits{})
	id := b.begin("a.log", 600)
	b.sent(id, 0, block("a", 300), false, false)
	b.feed.err = errors.New("no disk")
	if _, err := b.send(lamp, id, 300, block("b", 300), false); fault.KindOf(err) != fault.KindUnavailable {
		t.Fatalf("a file that nobody could be told of: %v", err)
	}
	b.feed.err = nil
	b.restart()
	b.once()
	if len(b.feed.files) != 1 || b.feed.files[0].Name != "a.log" {
		t.Errorf("told %+v", b.feed.files)
	}
	_, err := b.send(lamp, id, 300, block("b", 300), false)
	b.refused("the last block once more", err, dialect.ErrFileFinished)
	b.holds(lamp, "a.log", string(block("a", 300))+string(block("b", 300)))

	id = b.begin("b.log", 600)
	b.sent(id, 0, block("a", 300), false, false)
	b.feed.err = errors.New("no disk")
	b.send(lamp, id, 300, block("b", 300), false)
	b.feed.err = nil
	if err := b.Delete(t.Context(), lamp, "b.log"); err != nil { // as if it had not come so far
		t.Fatal(err)
	}
	b.restart()
	b.once()
	if got, err := b.ask(lamp, "b.log", 600, dialect.Continue); err != nil || got != (dialect.Receiving{ID: id, Offset: 300, Resumed: true}) {
		t.Fatalf("the last block is asked for again: %+v, %v", got, err)
	}
	b.sent(id, 300, block("c", 300), false, true)
	b.holds(lamp, "b.log", string(block("a", 300))+string(block("c", 300)))
}

// TestAnUploadThatWasDamaged ends with a word; the device begins anew.
func TestAnUploadThatWasDamaged(t *testing.T) {
	b := newBench(t, fileupload.Limits{})
	id := b.begin("a.log", 900)
	b.sent(id, 0, block("a", 300), false, false)
	b.restart()
	if err := os.WriteFile(filepath.Join(b.dir, "files", "incoming", id), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := b.send(lamp, id, 300, block("a", 300), false)
	b.refused("a damaged upload", err, dialect.ErrFileUnknown)
	b.sent(b.begin("a.log", 300), 0, block("a", 300), false, true)
	// What is none at the start is removed then.
	if err := os.WriteFile(filepath.Join(b.dir, "files", "incoming", "none"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.restart()
	if _, uploads := b.onDisk(); uploads != 0 {
		t.Errorf("%d uploads are left", uploads)
	}
}

func TestUploadsThatNobodyEnds(t *testing.T) {
	b := newBench(t, fileupload.Limits{})
	id := b.begin("a.log", 900)
	b.now = b.now.Add(23 * time.Hour)
	b.sent(id, 0, block("a", 300), false, false)
	b.begin("b.log", 900)
	b.now = b.now.Add(23 * time.Hour)
	b.once()
	b.sent(id, 300, block("a", 300), false, false)
	b.now = b.now.Add(time.Hour)
	b.once()
	if _, uploads := b.onDisk(); uploads != 1 {
		t.Errorf("%d uploads are left", uploads)
	}
	b.now = b.now.Add(fileupload.Patience)
	b.once()
	_, err := b.send(lamp, id, 600, block("a", 300), false)
	b.refused("a day later", err, dialect.ErrFileUnknown)
	if files, uploads := b.onDisk(); files != 0 || uploads != 0 {
		t.Errorf("%d files, %d uploads are left", files, uploads)
	}
}

func TestFilesOfTheSameBytesShareThem(t *testing.T) {
	b := newBench(t, fileupload.Limits{})
	b.uploaded(lamp, "a.log", "the same")
	b.uploaded(other, "b.log", "the same")
	if files, _ := b.onDisk(); files != 1 {
		t.Errorf("%d files on disk", files)
	}
	if err := b.Delete(t.Context(), lamp, "a.log"); err != nil {
		t.Fatal(err)
	}
	b.holds(other, "b.log", "the same")
	b.uploaded(other, "b.log", "others")
	if files, _ := b.onDisk(); files != 1 {
		t.Errorf("%d files on disk: what was replaced is left", files)
	}
	if err := b.Delete(t.Context(), lamp, "a.log"); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestADeviceTakesItsFilesWithIt(t *testing.T) {
	b := newBench(t, fileupload.Limits{})
	b.uploaded(lamp, "a.log", "mine")
	b.uploaded(other, "a.log", "another")
	id := b.begin("b.log", 900)
	if err := b.reg.DeleteDevice(t.Context(), lamp); err != nil {
		t.Fatal(err)
	}
	if _, err := b.send(lamp, id, 0, block("a", 900), false); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("a file of a device that is gone: %v", err)
	}
	if err := b.Forget(t.Context(), lamp); err != nil {
		t.Fatal(err)
	}
	if files, uploads := b.onDisk(); files != 1 || uploads != 0 {
		t.Errorf("%d files, %d uploads", files, uploads)
	}
	// A crash before Forget: the next start does it.
	if err := b.reg.DeleteDevice(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	b.restart()
	if files, _ := b.onDisk(); files != 0 {
		t.Errorf("%d files of nobody", files)
	}
}

func TestFilesAreListed(t *testing.T) {
	b := newBench(t, fileupload.Limits{})
	for _, name := range []string{"c", "a", "b"} {
		b.uploaded(lamp, name, strings.Repeat(name, 3))
	}
	page, next, err := b.Files(t.Context(), lamp, "", 2)
	if err != nil || len(page) != 2 || page[0].Name != "a" || next != "b" {
		t.Fatalf("%+v, %q, %v", page, next, err)
	}
	if page, next, err = b.Files(t.Context(), lamp, next, 2); err != nil || len(page) != 1 || page[0].Name != "c" || next != "" {
		t.Errorf("%+v, %q, %v", page, next, err)
	}
	if _, _, err := b.Files(t.Context(), registry.ID{Product: lamp.Product, Device: "nobody"}, "", 0); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("of nobody: %v", err)
	}
	if _, _, err := b.Files(t.Context(), lamp, "", -1); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("fewer than none: %v", err)
	}
}

func TestUploadsAreCounted(t *testing.T) {
	b := newBench(t, fileupload.Limits{FileBytes: 1000})
	b.uploaded(lamp, "a.log", "hello")
	id := b.begin("b.log", 900)
	b.sent(id, 0, block("b", 300), false, false)
	b.sent(id, 0, block("b", 300), false, false) // once more: nothing new is taken
	if _, err := b.send(lamp, id, 10, block("b", 300), false); err == nil {
		t.Error("a block out of order is taken")
	}
	if _, err := b.ask(lamp, "c.log", 1001, dialect.Replace); err == nil {
		t.Error("a file that is too large is taken")
	}
	b.begin("d.log", 900)
	if n := b.UnderWay(); n != 2 {
		t.Errorf("%d are under way", n)
	}
	if _, err := b.Cancel(t.Context(), &dialect.FileCancel{Ask: askOf(lamp), Upload: id}); err != nil {
		t.Error(err)
	}
	b.now = b.now.Add(fileupload.Patience)
	b.once()
	c := b.Counters()
	if got := fmt.Sprint(c.Begun.Load(), c.Arrived.Load(), c.Cancelled.Load(), c.Forgotten.Load(), c.Refused.Load(), c.Bytes.Load(), b.UnderWay()); got != "3 1 1 1 2 305 0" {
		t.Errorf("begun, arrived, cancelled, forgotten, refused, bytes, under way: %s", got)
	}
}
