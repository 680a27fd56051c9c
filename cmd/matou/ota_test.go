package main

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	firmware2 = `{"id":"0mc3xk9q1abcdefgh","product":"a1NightLamp","module":"default","version":"2.0","method":"md5","files":[{"name":"lamp.bin","size":8,"md5":"aa","sha256":"bb"}],"createdAt":"2026-01-02T03:04:05.678Z"}`
	firmware3 = `{"id":"0mc3xk9q2abcdefgh","product":"a1NightLamp","module":"MCU","version":"3","source":"2","name":"灯","desc":"d","method":"sha256","extra":{"k":1},"files":[{"name":"a","size":8,"md5":"aa","sha256":"bb"},{"name":"b","size":9,"md5":"cc","sha256":"dd"}],"createdAt":"2026-01-02T03:04:05.678Z"}`
	job2      = `{"id":"0mc3xk9q3abcdefgh","product":"a1NightLamp","package":"0mc3xk9q1abcdefgh","module":"default","version":"2.0","dynamic":false,"percent":12.5,"sources":["1.0"],"protocol":"http","perMinute":60,"retries":2,"retryAfterMinutes":10,"timeoutMinutes":60,"state":"IN_PROGRESS","selected":4,"createdAt":"2026-01-02T03:04:05.678Z","states":{"FAILED":1,"QUEUED":2,"SUCCEEDED":1},"notes":[{"code":"ota-url-port","sentence":"no port","sentenceZh":"端口"}]}`
	task1     = `{"id":7,"device":"lamp01","source":"1.0","version":"2.0","state":"FAILED","percent":30,"code":"-2","desc":"the download failed","descZh":"下载失败","updatedAt":"2026-01-02T03:04:05.678Z"}`
	task2     = `{"id":8,"device":"lamp02","version":"2.0","state":"QUEUED","percent":0,"updatedAt":"2026-01-02T03:04:05.678Z"}`
)

func TestOTAGolden(t *testing.T) {
	const jobs = "/products/a1NightLamp/ota/jobs"
	const packages = "/products/a1NightLamp/ota/packages"
	file := filepath.Join(t.TempDir(), "lamp.bin")
	if err := os.WriteFile(file, []byte("firmware"), 0o600); err != nil {
		t.Fatal(err)
	}
	one := jobs + "/0mc3xk9q3abcdefgh"
	for _, tt := range []struct {
		name   string
		args   []string
		routes map[string]http.HandlerFunc
	}{
		{"ota-package-add", append(with("ota package add a1NightLamp --version 2.0"), file), map[string]http.HandlerFunc{"POST " + packages: answer(201, firmware2)}},
		{"ota-package-add-all", append(with("ota package add a1NightLamp --version 3 --source 2 --module MCU --method sha256 --json --name=灯 --extra"), `{"k":1}`, file), map[string]http.HandlerFunc{"POST " + packages: answer(201, firmware3)}},
		{"ota-package-add-missing", with("ota package add a1NightLamp --version 2.0 testdata/none.bin"), nil},
		{"ota-package-add-no-version", append(with("ota package add a1NightLamp"), file), nil},
		{"ota-package-add-refused", append(with("ota package add a1NightLamp --version 2.0"), file), map[string]http.HandlerFunc{"POST " + packages: problem(409, "there is one already", `{"location":"body.version","message":"there is one already"}`)}},
		{"ota-package-list", with("ota package list a1NightLamp --module MCU"), map[string]http.HandlerFunc{"GET " + packages: list(firmware3, firmware2)}},
		{"ota-package-remove", with("ota package remove a1NightLamp 0mc3xk9q1abcdefgh --yes --json"), map[string]http.HandlerFunc{"DELETE " + packages + "/0mc3xk9q1abcdefgh": answer(204, "")}},
		{"ota-package-remove-unasked", with("ota package remove a1NightLamp 0mc3xk9q1abcdefgh"), nil},
		{"ota-job-create", with("ota job create a1NightLamp 0mc3xk9q1abcdefgh --percent 12.5 --source 1.0 --per-minute 60 --retries 2 --retry-after 10m --timeout 1h"), map[string]http.HandlerFunc{"POST " + jobs: answer(201, job2)}},
		{"ota-job-create-devices", with("ota job create a1NightLamp 0mc3xk9q1abcdefgh --device lamp01 --device lamp02 --protocol mqtt --confirm --json"), map[string]http.HandlerFunc{"POST " + jobs: answer(201, job2)}},
		{"ota-job-create-seconds", with("ota job create a1NightLamp 0mc3xk9q1abcdefgh --timeout 90s"), nil},
		{"ota-job-list", with("ota job list a1NightLamp --open"), map[string]http.HandlerFunc{"GET " + jobs: list(job2)}},
		{"ota-job-show", with("ota job show a1NightLamp 0mc3xk9q3abcdefgh"), map[string]http.HandlerFunc{"GET " + one: answer(200, job2), "GET " + one + "/devices": list(task1, task2)}},
		{"ota-job-show-zh", with("ota job show a1NightLamp 0mc3xk9q3abcdefgh --lang zh"), map[string]http.HandlerFunc{"GET " + one: answer(200, job2), "GET " + one + "/devices": list(task1, task2)}},
		{"ota-job-show-json", with("ota job show a1NightLamp 0mc3xk9q3abcdefgh --state failed --json"), map[string]http.HandlerFunc{"GET " + one: answer(200, job2), "GET " + one + "/devices": list(task1)}},
		{"ota-job-cancel", with("ota job cancel a1NightLamp 0mc3xk9q3abcdefgh -y"), map[string]http.HandlerFunc{"POST " + one + "/cancel": answer(200, job2)}},
		{"ota-job-cancel-device", with("ota job cancel a1NightLamp 0mc3xk9q3abcdefgh --device lamp01 -y"), map[string]http.HandlerFunc{"POST " + one + "/devices/lamp01/cancel": answer(200, task1)}},
		{"ota-job-retry", with("ota job retry a1NightLamp 0mc3xk9q3abcdefgh lamp01"), map[string]http.HandlerFunc{"POST " + one + "/devices/lamp01/retry": answer(200, task2)}},
		{"ota-job-confirm", with("ota job confirm a1NightLamp 0mc3xk9q3abcdefgh lamp01"), map[string]http.HandlerFunc{"POST " + one + "/devices/lamp01/confirm": answer(200, task2)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newAPIServer(t)
			for route, h := range tt.routes {
				s.on(route, h)
			}
			golden(t, tt.name, strings.ReplaceAll(s.outcome(tt.args, ""), filepath.Dir(file), "/tmp"))
		})
	}
	for _, words := range []string{"package add", "package list", "package remove", "job create", "job list", "job show", "job cancel", "job confirm", "job retry"} {
		got := outcome(with("ota "+words+" --help"), "")
		if !strings.Contains(got, "Examples:") || !strings.Contains(got, "matou ota "+words) || !strings.HasSuffix(got, "-- exit --\n0\n") {
			t.Errorf("matou ota %s --help has no examples:\n%s", words, got)
		}
	}
}

func TestSeveralFilesAreSentAsAForm(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.bin"), filepath.Join(dir, "b.bin")
	os.WriteFile(a, []byte("first"), 0o600)
	os.WriteFile(b, []byte("second"), 0o600)
	s := newAPIServer(t)
	var sent []string
	s.on("POST /products/p/ota/packages", answer(201, firmware3))
	got := outcome(with("ota package add p --version 3 --module MCU", []string{a, b}), "")
	if !strings.HasSuffix(got, "-- exit --\n0\n") {
		t.Fatal(got)
	}
	lines := strings.SplitN(s.asked[0], "\n  ", 4)
	_, params, err := mime.ParseMediaType(lines[2])
	if err != nil {
		t.Fatal(err)
	}
	body := strings.ReplaceAll(lines[3], "\n  ", "\n")
	form := multipart.NewReader(strings.NewReader(body+"\r\n"), params["boundary"])
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in %q", err, body)
		}
		raw, _ := io.ReadAll(part)
		sent = append(sent, part.FormName()+" "+part.FileName()+" "+string(raw))
	}
	want := []string{
		"version  3", "module  MCU", "sha256  a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e", "file a.bin first",
		"sha256  16367aacb67a4a017c8da8ab95682ccb390863780f7114dda0a0e0c55644c7c4", "file b.bin second",
	}
	if strings.Join(sent, "|") != strings.Join(want, "|") {
		t.Errorf("\n got %q\nwant %q", sent, want)
	}
	// An early refusal ends the upload.
	s = newAPIServer(t)
	s.on("POST /products/p/ota/packages", problem(400, "no"))
	if got := outcome(with("ota package add p --version 3", []string{a, b}), ""); !strings.Contains(got, "matou: no") || !strings.HasSuffix(got, "-- exit --\n1\n") {
		t.Error(got)
	}
}

func TestProgressBar(t *testing.T) {
	var out bytes.Buffer
	at := time.Unix(0, 0)
	bar := &progressBar{w: &out, what: "lamp\x1b.bin", total: 3 << 20, now: func() time.Time { return at }}
	bar.Write(make([]byte, 1<<20))
	bar.Write(make([]byte, 1<<19)) // too soon to be drawn again
	at = at.Add(time.Second)
	bar.Write(make([]byte, 1<<19))
	at = at.Add(time.Second)
	bar.Write(make([]byte, 1<<20))
	bar.end()
	want := "\rlamp\\x1b.bin [##########....................]  33 % of 3.0 MiB " +
		"\rlamp\\x1b.bin [####################..........]  67 % of 3.0 MiB  2.0 MiB/s " +
		"\rlamp\\x1b.bin [##############################] 100 % of 3.0 MiB  1.5 MiB/s \n"
	if out.String() != want {
		t.Errorf("\n got %q\nwant %q", out.String(), want)
	}
	out.Reset()
	bar = &progressBar{w: &out, total: 5, quiet: true}
	bar.Write([]byte("hello"))
	bar.end()
	if out.Len() > 0 {
		t.Errorf("nobody watches, and yet %q", out.String())
	}
	for n, want := range map[int64]string{5: "5 B", 2048: "2.0 KiB", 3 << 30: "3.0 GiB"} {
		if got := bytesOf(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
}
