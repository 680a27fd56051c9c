package ota

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/trace"
)

// DownloadPath is where files are fetched; the token follows.
const DownloadPath = "/firmware/"

// urls makes and reads addresses of files: whose they are and until when, with
// a signature behind it, so that none can be guessed. They are short and plain
// ASCII without a query: SDKs take them apart with little care
// [aliyun-device §4.11].
type urls struct {
	base string
	life time.Duration
	key  []byte
}

const (
	urlKeyFile  = "url.key"
	urlKeyBytes = 32
	urlMACBytes = 16
)

// newURLs reads the key of a directory, or makes it: addresses that devices
// have are good after a restart.
func newURLs(base string, life time.Duration, dir string) (*urls, error) {
	file := filepath.Join(dir, urlKeyFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, urlKeyBytes)
		rand.Read(key)
		text = []byte(hex.EncodeToString(key) + "\n")
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("key of download addresses: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != urlKeyBytes {
		return nil, fmt.Errorf("%s does not hold %d hexadecimal digits: remove it, and devices are given new addresses", file, 2*urlKeyBytes)
	}
	return &urls{strings.TrimRight(base, "/"), life, key}, nil
}

func (u *urls) make(task int64, file int, now time.Time) string {
	until := now.Add(u.life).Unix()
	what := strconv.FormatInt(task, 36) + "-" + strconv.Itoa(file) + "-" + strconv.FormatInt(until, 36)
	return u.base + DownloadPath + what + "-" + u.sign(what)
}

func (u *urls) sign(what string) string {
	mac := hmac.New(sha256.New, u.key)
	mac.Write([]byte(what))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:urlMACBytes])
}

// read takes a token apart. ok is false for one that was not made here.
func (u *urls) read(token string) (task, file int64, until time.Time, ok bool) {
	parts := strings.SplitN(token, "-", 4)
	if len(parts) != 4 || !hmac.Equal([]byte(parts[3]), []byte(u.sign(strings.Join(parts[:3], "-")))) {
		return 0, 0, until, false
	}
	task, err1 := strconv.ParseInt(parts[0], 36, 64)
	file, err2 := strconv.ParseInt(parts[1], 10, 64)
	seconds, err3 := strconv.ParseInt(parts[2], 36, 64)
	return task, file, time.Unix(seconds, 0), errors.Join(err1, err2, err3) == nil
}

// Download serves files at DownloadPath, whole or in ranges, with GET and
// HEAD. Content-Length and ETag are always there; nothing is redirected.
func (s *Service) Download() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		task, f, err := s.addressed(r)
		if task != nil {
			s.noteDownload(task, r, err)
		}
		if err != nil {
			refuse(w, err)
			return
		}
		file, err := s.content.Open(f.SHA256)
		if err != nil {
			refuse(w, err)
			return
		}
		defer file.Close()
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", `attachment; filename="`+f.Name+`"`)
		h.Set("ETag", `"`+f.SHA256+`"`)
		h.Set("Cache-Control", "private, no-transform")
		http.ServeContent(w, r, "", time.Time{}, file)
	})
}

// errExpired is of an address that was good once.
var errExpired = errors.New("the address has expired")

// addressed finds what a request asks for. The task comes back with an error,
// too, where it is known.
func (s *Service) addressed(r *http.Request) (*Task, File, error) {
	id, number, until, ok := s.urls.read(r.PathValue("token"))
	if !ok {
		return nil, File{}, fault.NotFound("there is no such file: the address was cut or changed")
	}
	var task *Task
	var f File
	err := s.Store.View(r.Context(), func(tx Tx) (err error) {
		if task, err = tx.Task(id); errors.Is(err, ErrNotFound) {
			return fault.NotFound("the upgrade was deleted")
		} else if err != nil {
			return err
		}
		if s.Now().After(until) {
			return fault.Conflict("%w: ask for the upgrade again", errExpired)
		}
		f, err = openFile(tx, task, number)
		return err
	})
	return task, f, err
}

// noteDownload writes a request into the timeline of the device that the
// address was made for.
func (s *Service) noteDownload(t *Task, r *http.Request, err error) {
	e := trace.Entry{
		Product: t.Product, Device: t.Device, Kind: trace.Note, Direction: "up", Code: "ota-download",
		Sentence: r.Method + " of the firmware from " + r.RemoteAddr, SentenceZH: "从 " + r.RemoteAddr + " 下载固件（" + r.Method + "）",
		Detail: map[string]any{"job": t.Job, "task": t.ID, "range": clip(r.Header.Get("Range"))},
	}
	switch {
	case errors.Is(err, errExpired):
		e.Kind, e.Code = trace.Fault, "ota-url-expired"
		e.Sentence, e.SentenceZH = "the download address has expired; the device has to ask for the upgrade again", "下载地址已过期，设备需重新请求升级信息"
	case err != nil:
		e.Kind, e.Code, e.Sentence, e.SentenceZH = trace.Fault, "ota-download-refused", fault.Sentence(err), "固件下载被拒绝："+fault.SentenceZH(err)
		if why, ok := errors.AsType[*dialect.Refusal](err); ok {
			d := why.Diagnosis
			d.Code = e.Code
			e.SentenceZH, e.Detail = "固件下载被拒绝："+why.SentenceZH, &d
		}
	}
	s.Trace.Record(e)
}

// refuse answers a request that gets no file: 410 for what was there once.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch fault.KindOf(err) {
	case fault.KindNotFound:
		status = http.StatusNotFound
	case fault.KindConflict:
		status = http.StatusGone
	case fault.KindUnavailable:
		status = http.StatusServiceUnavailable
	}
	http.Error(w, fault.Sentence(err), status)
}
