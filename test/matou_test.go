// Package test tells stories on the real binary with real clients.
package test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a story waits for an event before it is told wrong.
const patience = time.Minute

// binary is the program under test, built once.
var binary = sync.OnceValues(func() (string, error) {
	if b := os.Getenv("MATOU_BIN"); b != "" {
		return b, nil
	}
	dir, err := os.MkdirTemp("", "matou-bin")
	if err != nil {
		return "", err
	}
	b := filepath.Join(dir, "matou")
	out, err := exec.Command("go", "build", "-o", b, "../cmd/matou").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %v\n%s", err, out)
	}
	return b, nil
})

// A matou is a running server.
type matou struct {
	t              *testing.T
	cmd            *exec.Cmd
	exited         chan error
	data           string
	api            string // http://127.0.0.1:…
	device         string // host:port
	port           string
	token          string
	stdout, stderr *buffer
}

// start runs `matou serve` on a data directory and waits until it is ready.
func start(t *testing.T, data string, args ...string) *matou {
	t.Helper()
	m := launch(t, data, args...)
	m.awaitReady()
	return m
}

func launch(t *testing.T, data string, args ...string) *matou {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	m := &matou{t: t, data: data, exited: make(chan error, 1), stdout: new(buffer), stderr: new(buffer)}
	os.Remove(filepath.Join(data, "run.json")) // a killed server leaves it behind
	m.cmd = exec.Command(bin, append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"}, args...)...)
	m.cmd.Stdout, m.cmd.Stderr = m.stdout, m.stderr
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { m.exited <- m.cmd.Wait() }()
	t.Cleanup(m.stop)
	return m
}

func (m *matou) awaitReady() {
	m.t.Helper()
	var r struct {
		API     string
		Devices []string
	}
	m.await("the server to start", func() bool {
		select {
		case err := <-m.exited:
			m.exited <- err
			m.t.Fatalf("the server ended: %v\n%s", err, m.stderr)
		default:
		}
		raw, err := os.ReadFile(filepath.Join(m.data, "run.json"))
		return err == nil && json.Unmarshal(raw, &r) == nil
	})
	m.api, m.device = r.API, r.Devices[0]
	_, m.port, _ = net.SplitHostPort(m.device)
	raw, err := os.ReadFile(filepath.Join(m.data, "local.token"))
	if err != nil {
		m.t.Fatal(err)
	}
	m.token = strings.TrimSpace(string(raw))
}

// await polls for an event that only the outside of another process shows.
func (m *matou) await(what string, happened func() bool) {
	m.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-deadline.C:
			m.t.Fatalf("waited %v for %s\nserver's log:\n%s", patience, what, m.stderr)
		}
	}
}

// stop ends the server as an operator would; the test fails if it does not.
func (m *matou) stop() {
	if m.cmd == nil {
		return
	}
	m.explained()
	m.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-m.exited:
		if err != nil {
			m.t.Errorf("the server stopped with %v\n%s", err, m.stderr)
		}
	case <-time.After(patience):
		m.cmd.Process.Kill()
		m.t.Errorf("the server did not stop within %v\n%s", patience, m.stderr)
	}
	m.cmd = nil
}

// kill ends the server as a power cut would.
func (m *matou) kill() {
	m.cmd.Process.Kill()
	<-m.exited
	m.cmd = nil
}

// call speaks to the API and returns status and body.
func (m *matou) call(method, path string, body any) (int, []byte) {
	m.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		r = bytes.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			m.t.Fatal(err)
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, m.api+"/api/v1"+path, r)
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+m.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return resp.StatusCode, raw
}

// must is call that has to succeed; the body is read into a T.
func must[T any](m *matou, method, path string, body any) T {
	m.t.Helper()
	status, raw := m.call(method, path, body)
	if status >= 300 {
		m.t.Fatalf("%s %s: %d %s", method, path, status, raw)
	}
	var v T
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &v); err != nil {
			m.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return v
}

// object is JSON as it comes.
type object = map[string]any

// product makes a product with a model in its vendor's own form.
func (m *matou) product(key, dialect, strictness, secret, model string) {
	m.t.Helper()
	must[object](m, "POST", "/products", object{"key": key, "name": key, "dialect": dialect, "strictness": strictness, "secret": secret})
	if model != "" {
		must[object](m, "PUT", "/products/"+key+"/model?format="+dialect, []byte(model))
	}
}

// add makes a device.
func (m *matou) add(product, name, secret string) {
	m.t.Helper()
	must[object](m, "POST", "/products/"+product+"/devices", object{"name": name, "secret": secret})
}

// latest returns the latest value of a property as JSON, "" if there is none.
func (m *matou) latest(product, device, property string) string {
	m.t.Helper()
	list := must[struct {
		Items []struct {
			Property string
			Value    json.RawMessage
			Time     *time.Time
		}
	}](m, "GET", "/products/"+product+"/devices/"+device+"/properties", nil)
	for _, p := range list.Items {
		if p.Property == property && p.Time != nil {
			return string(p.Value)
		}
	}
	return ""
}

// awaitLatest waits until a property has a value.
func (m *matou) awaitLatest(product, device, property, want string) {
	m.t.Helper()
	got := ""
	m.await(fmt.Sprintf("%s of %s/%s to be %s", property, product, device, want), func() bool {
		got = m.latest(product, device, property)
		return got == want
	})
}

// history returns all values of a property, oldest first.
func (m *matou) history(product, device, property string) []string {
	m.t.Helper()
	var values []string
	path := "/products/" + product + "/devices/" + device + "/properties/" + property + "/history?order=asc&limit=1000"
	for next := ""; ; {
		page := must[struct {
			Items []struct{ Value json.RawMessage }
			Next  string
		}](m, "GET", path+next, nil)
		for _, p := range page.Items {
			values = append(values, string(p.Value))
		}
		if page.Next == "" {
			return values
		}
		next = "&after=" + page.Next
	}
}

// entry is one entry of a timeline.
type entry struct {
	Kind, Direction, Topic, Code, Sentence, SentenceZh string
	Payload                                            []byte
	Detail                                             json.RawMessage
}

func (m *matou) timeline(product, device string) []entry {
	m.t.Helper()
	return must[struct{ Items []entry }](m, "GET", "/products/"+product+"/devices/"+device+"/timeline", nil).Items
}

// awaitEntry waits for an entry of the timeline.
func (m *matou) awaitEntry(product, device, what string, is func(entry) bool) entry {
	m.t.Helper()
	var found entry
	m.await(what, func() bool {
		for _, e := range m.timeline(product, device) {
			if is(e) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

// credentials are what a device logs in with.
type credentials struct {
	Method, ClientID, Username, Password, Host string
	Port                                       int
}

func (m *matou) credentials(product, device, method string) credentials {
	m.t.Helper()
	list := must[struct{ Items []credentials }](m, "GET", "/products/"+product+"/devices/"+device+"/credentials", nil)
	for _, c := range list.Items {
		if method == "" || c.Method == method {
			return c
		}
	}
	m.t.Fatalf("no credentials with method %q in %+v", method, list.Items)
	return credentials{}
}

// matouCLI runs a subcommand against the server and returns what it prints.
func (m *matou) cli(args ...string) (stdout, stderr string, code int) {
	m.t.Helper()
	return runCLI(m.t, nil, append(args, "--server", m.api, "--token", m.token)...)
}

func runCLI(t *testing.T, stdin io.Reader, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	err = cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// need skips a story loudly where a foreign program is missing.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("SKIPPED: %s is not installed", program)
	}
}

// A buffer collects a process's output while it is read.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
