package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	_ "time/tzdata"
)

// An apiServer plays the API: it answers as it was told and writes down what
// it was asked.
type apiServer struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	answers map[string][]http.HandlerFunc // by "METHOD /path" below the base; the last one stays
	asked   []string
}

// newAPIServer starts one and makes it the server of all commands of the test,
// whose language is English.
func newAPIServer(t *testing.T) *apiServer {
	t.Helper()
	s := &apiServer{t: t, answers: make(map[string][]http.HandlerFunc)}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	t.Setenv("MATOU_SERVER", s.URL)
	t.Setenv("MATOU_TOKEN", "t0ken")
	t.Setenv("MATOU_DATA", "")
	t.Setenv("LC_ALL", "C")
	return s
}

// TestMain makes local time that of UTC+8, before anybody asks for it: servers
// read the clock while tests come and go, and so does what runs beside them
// from the start, which setting time.Local would race with.
func TestMain(m *testing.M) {
	os.Setenv("TZ", "Asia/Shanghai")
	os.Exit(m.Run())
}

// on adds an answer.
func (s *apiServer) on(route string, h http.HandlerFunc) {
	s.answers[route] = append(s.answers[route], h)
}

// answer is JSON, or a problem from 400 on.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		content := "application/json"
		if status >= 400 {
			content = "application/problem+json"
		}
		w.Header().Set("Content-Type", content)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// events is a stream that ends after these.
func events(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, text)
	}
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	line := r.Method + " " + r.URL.RequestURI() + "\n  " + r.Header.Get("Authorization")
	if len(body) > 0 {
		line += "\n  " + r.Header.Get("Content-Type") + "\n  " + strings.ReplaceAll(strings.TrimSpace(string(body)), "\n", "\n  ")
	}
	route := r.Method + " " + strings.TrimPrefix(r.URL.EscapedPath(), restBase)
	s.mu.Lock()
	s.asked = append(s.asked, line)
	queue := s.answers[route]
	if len(queue) > 1 {
		s.answers[route] = queue[1:]
	}
	s.mu.Unlock()
	if len(queue) == 0 {
		s.t.Errorf("nobody expected %s", route)
		w.WriteHeader(http.StatusNotImplemented)
		return
	}
	queue[0](w, r)
}

// requests is what was asked, for golden files.
func (s *apiServer) requests() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked) == 0 {
		return "-- requests --\n"
	}
	return "-- requests --\n" + strings.Join(s.asked, "\n") + "\n"
}

// outcome is that of a command, with what it asked and without the port.
func (s *apiServer) outcome(args []string, stdin string) string {
	return strings.ReplaceAll(outcome(args, stdin)+s.requests(), s.URL, "http://server")
}

// person is a terminal whose person writes these lines.
type person struct {
	io.Reader
	lines []string
}

func (p *person) next() (string, error) {
	if len(p.lines) == 0 {
		return "", io.EOF
	}
	line := p.lines[0]
	p.lines = p.lines[1:]
	return line, nil
}

func problem(status int, detail string, more ...string) http.HandlerFunc {
	body := fmt.Sprintf(`{"title":%q,"status":%d,"detail":%q`, http.StatusText(status), status, detail)
	if len(more) > 0 {
		body += `,"errors":[` + strings.Join(more, ",") + `]`
	}
	return answer(status, body+"}")
}
