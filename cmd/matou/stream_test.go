package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestReadEvents(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"name and data", "event: a\ndata: 1\n\n", []string{"a|1"}},
		{"comments keep alive", ": Matou\n\n:\n\nevent:a\ndata:1\n\n", []string{"a|1"}},
		{"ids and retries are passed over", "id: 7\nretry: 5\nevent: a\ndata: 1\n\n", []string{"a|1"}},
		{"lines of data are joined", "data: 1\ndata\ndata:  2\n\n", []string{"|1\n\n 2"}},
		{"carriage returns", "event: a\r\ndata: 1\r\n\r\n", []string{"a|1"}},
		{"without data there is no event", "event: a\n\ndata: 1\n\n", []string{"|1"}},
		{"what is cut off is dropped", "data: 1\n\nevent: b\ndata: 2\n", []string{"|1"}},
	} {
		var got []string
		err := readEvents(strings.NewReader(tt.in), func() {}, func(e streamEvent) error {
			got = append(got, e.name+"|"+string(e.data))
			return nil
		})
		if !errors.Is(err, io.ErrUnexpectedEOF) || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestEventThatIsTooLong(t *testing.T) {
	line := "data: " + strings.Repeat("x", maxStreamLine/2) + "\n"
	for name, in := range map[string]string{
		"one line":   "data: " + strings.Repeat("x", maxStreamLine+1) + "\n\n",
		"many lines": strings.Repeat(line, 3) + "\n",
	} {
		err := readEvents(strings.NewReader(in), func() {}, func(streamEvent) error {
			t.Errorf("%s: accepted", name)
			return nil
		})
		if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReadEvents: whatever comes, an event has no more data than came, and the
// end is an error.
func FuzzReadEvents(f *testing.F) {
	f.Add([]byte("event: a\ndata: 1\n\n: c\n\ndata\ndata: x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		n := 0
		err := readEvents(bytes.NewReader(in), func() {}, func(e streamEvent) error {
			n += len(e.data) + len(e.name)
			return nil
		})
		if err == nil || n > len(in) {
			t.Errorf("%q: %d bytes, %v", in, n, err)
		}
	})
}

const (
	warmed = "event: property\ndata: " + `{"product":"a1NightLamp","device":"lamp01","time":"2026-01-02T03:04:05.678Z","values":{"Temp":23.5,"Mode":"eco\u001b[0m"}}` + "\n\n"
	others = ": \n\nevent: event\ndata: " + `{"product":"a1NightLamp","device":"lamp01","event":"Overheat","level":"alert","output":{"Temp":90},"time":"2026-01-02T03:04:06.000Z"}` + "\n\n" +
		"event: news\ndata: {}\n\n" +
		"event: status\ndata: " + `{"product":"a1NightLamp","device":"lamp01","state":"OFFLINE","time":"2026-01-02T03:04:07.000Z","reason":"keep-alive ran out"}` + "\n\n" +
		"event: command\ndata: " + `{"product":"a1NightLamp","device":"lamp01","id":"72","kind":"invoke","service":"Blink","state":"failed","code":5092,"message":"too often","input":{"times":3},"sentAt":"2026-01-02T03:04:08.000Z","doneAt":"2026-01-02T03:04:09.000Z"}` + "\n\n" +
		"event: gap\ndata: {\"missed\":2}\n\n"
)

// TestWatchReconnects: a stream that breaks and a server that is not ready are
// asked again, until there is enough.
func TestWatchReconnects(t *testing.T) {
	for _, tt := range []struct{ name, args string }{
		{"device-watch", "device watch a1NightLamp -C 5"},
		{"device-watch-json", "device watch a1NightLamp -C 5 --json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newAPIServer(t)
			s.on("GET /products/a1NightLamp", answer(200, nightLamp))
			s.on("GET /stream", events(warmed))
			s.on("GET /stream", problem(503, "stopping"))
			s.on("GET /stream", events(others))
			golden(t, tt.name, s.outcome(with(tt.args), ""))
		})
	}
}

func TestWatchEnds(t *testing.T) {
	t.Run("when the first answer is a failure", func(t *testing.T) {
		s := newAPIServer(t)
		s.on("GET /stream", problem(503, "starting"))
		code, _, stderr := matou(t.Context(), "", "device watch")
		if code != exitFailed || stderr != "matou: starting\n" {
			t.Errorf("%d %q", code, stderr)
		}
	})
	t.Run("when the token is not good any more", func(t *testing.T) {
		s := newAPIServer(t)
		s.on("GET /stream", events(warmed))
		s.on("GET /stream", problem(401, "this token is not known"))
		code, stdout, stderr := matou(t.Context(), "", "device watch")
		if code != exitFailed || strings.Count(stdout, "\n") != 1 || !strings.Contains(stderr, "this token is not known") {
			t.Errorf("%d %q %q", code, stdout, stderr)
		}
	})
	t.Run("when it is interrupted", func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		s := newAPIServer(t)
		s.on("GET /products/p/devices/d", answer(200, lamp01))
		s.on("GET /products/p/devices/d/stream", func(w http.ResponseWriter, r *http.Request) {
			events(warmed)(w, r)
			http.NewResponseController(w).Flush()
			interrupt()
			<-r.Context().Done()
		})
		if code, _, stderr := matou(ctx, "", "device watch p/d"); code != exitDone || stderr != "" {
			t.Errorf("%d %q", code, stderr)
		}
	})
	t.Run("when what comes is not what Matou says", func(t *testing.T) {
		s := newAPIServer(t)
		s.on("GET /stream", events("event: property\ndata: hello\n\n"))
		code, _, stderr := matou(t.Context(), "", "device watch")
		if code != exitFailed || !strings.Contains(stderr, "does not answer as Matou does") {
			t.Errorf("%d %q", code, stderr)
		}
	})
}

// TestTimelineFollow: nothing twice, nothing lost, also across a break.
func TestTimelineFollow(t *testing.T) {
	const path = "GET /products/p/devices/d/timeline"
	entry := func(id, kind string) string {
		return `{"id":` + id + `,"at":"2026-01-02T03:04:05.000Z","kind":"` + kind + `","sentence":"number ` + id + `"}`
	}
	event := func(id, kind string) string { return "event: entry\ndata: " + entry(id, kind) + "\n\n" }
	for _, tt := range []struct{ name, args, want string }{
		{"all", "device timeline p/d --follow --limit 2", "1 2 3 4 5 6 "},
		{"of one kind", "device timeline p/d -f --limit 2 --kind note", "1 3 4 6 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			s := newAPIServer(t)
			if tt.name == "all" {
				s.on(path, list(entry("2", "fault"), entry("1", "note")))
				s.on(path, list(entry("5", "fault"), entry("4", "note"), entry("3", "note"), entry("2", "fault")))
			} else {
				s.on(path, list(entry("1", "note")))
				s.on(path, list(entry("4", "note"), entry("3", "note"), entry("1", "note")))
			}
			s.on(path+"/stream", events(event("2", "fault")+event("3", "note")+"event: other\ndata: 1\n\n"))
			s.on(path+"/stream", func(w http.ResponseWriter, r *http.Request) {
				events(event("5", "fault")+event("6", "note"))(w, r)
				http.NewResponseController(w).Flush()
				<-r.Context().Done()
			})
			var out seen
			out.when, out.then = "number 6", interrupt
			var talk bytes.Buffer
			code := run(ctx, with(tt.args), strings.NewReader(""), &out, &talk)
			got := ""
			for line := range strings.Lines(out.String()) {
				_, id, _ := strings.Cut(strings.TrimSpace(line), "number ")
				got += id + " "
			}
			if code != exitDone || got != tt.want || !strings.Contains(talk.String(), "connecting again") {
				t.Errorf("%d %q\n%s\n%s", code, got, &out, &talk)
			}
			if asked := s.requests(); !strings.Contains(asked, "timeline?") || !strings.Contains(asked, "limit=2\n") || !strings.Contains(asked, "limit=1000\n") {
				t.Errorf("asked %s", asked)
			}
		})
	}
}

// seen is a writer that does something when it sees a text.
type seen struct {
	bytes.Buffer
	when string
	then func()
}

func (s *seen) Write(p []byte) (int, error) {
	if strings.Contains(string(p), s.when) {
		defer s.then()
	}
	return s.Buffer.Write(p)
}

func TestRetryGrowsToItsBound(t *testing.T) {
	for failures := range 100 {
		want := min(firstRetry<<min(failures, 10), lastRetry)
		if d := retryAfter(failures); d < want/2 || d >= want {
			t.Errorf("after %d failures %v, want less than %v, but not half of it", failures, d, want)
		}
	}
}
