package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestConversations plays what libraries say that no registry has, byte by byte
// (testdata/conversations). A line begins with
//
//	>   bytes that the device sends, quoted as in Go
//	<   bytes that it is sent, exactly these
//	?   a message to it: topic, a blank, payload; a regular expression where Matou chooses an id
//	>>  a message of the device at QoS 0, $1 being what the last ? chose
//	!   what people do and see: "set VALUES", "acknowledged", "value PROPERTY JSON"
//
// The bytes were made from the vendors' and libraries' own rules, without any of
// Matou's code.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/conversations/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m := start(t, t.TempDir())
			product, device := lampProduct, lampName
			if strings.HasPrefix(filepath.Base(file), "onenet") {
				m.sensor("lenient")
				product, device = sensorProduct, sensorName
			} else {
				m.lamp()
			}
			w := m.dial()
			chosen, done := "", make(chan object, 1)
			for n, line := range strings.Split(string(raw), "\n") {
				verb, rest, _ := strings.Cut(line, " ")
				switch verb {
				case "", "#":
				case ">":
					if _, err := w.Write([]byte(unquoted(t, n, rest))); err != nil {
						t.Fatalf("line %d: %v", n+1, err)
					}
				case "<":
					want := unquoted(t, n, rest)
					if got := w.next(); got != want {
						t.Fatalf("line %d\ngot  %q\nwant %q", n+1, got, want)
					}
				case "?":
					topic, payload := w.message()
					found := regexp.MustCompile("^" + rest + "$").FindStringSubmatch(topic + " " + payload)
					if found == nil {
						t.Fatalf("line %d\ngot  %s %s\nwant %s", n+1, topic, payload, rest)
					}
					if len(found) > 1 {
						chosen = found[1]
					}
				case ">>":
					topic, payload, _ := strings.Cut(strings.ReplaceAll(rest, "$1", chosen), " ")
					w.Write(publish(topic, payload))
				case "!":
					m.people(n, product, device, rest, done)
				default:
					t.Fatalf("line %d: %q is no verb", n+1, verb)
				}
			}
			for _, e := range m.timeline(product, device) {
				if e.Kind == "refuse" {
					t.Errorf("refused: %s %s", e.Code, e.Sentence)
				}
			}
		})
	}
}

// people do what stands behind an exclamation mark.
func (m *matou) people(n int, product, device, what string, done chan object) {
	m.t.Helper()
	verb, rest, _ := strings.Cut(what, " ")
	switch verb {
	case "set":
		go func() {
			done <- must[object](m, "POST", "/products/"+product+"/devices/"+device+"/properties", []byte(`{"wait":"10s","values":`+rest+`}`))
		}()
	case "acknowledged":
		if c := <-done; c["state"] != "acknowledged" {
			m.t.Errorf("line %d: the command became %v", n+1, c)
		}
	case "value":
		property, want, _ := strings.Cut(rest, " ")
		m.awaitLatest(product, device, property, want)
	default:
		m.t.Fatalf("line %d: people do not %q", n+1, verb)
	}
}

// next reads one packet whole.
func (w *wire) next() string {
	w.t.Helper()
	first, body := w.packet()
	return string(frame(first, string(body)))
}

func unquoted(t *testing.T, n int, text string) string {
	t.Helper()
	s, err := strconv.Unquote(text)
	if err != nil {
		t.Fatalf("line %d: %v", n+1, err)
	}
	return s
}
