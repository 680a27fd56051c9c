package test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"time"
)

// english is a stretch of English in a Chinese sentence; names, numbers and the
// vendors' words are none.
var english = regexp.MustCompile(`[A-Za-z']{2,} [a-z']{2,} [a-z']{2,} [a-z']{2,}`)

// commands are of Matou's own command line, in whatever language.
var commands = regexp.MustCompile(`matou( [a-z-]+)+`)

// explained looks at what the server of a test has written into timelines,
// whatever the test was about: each sentence is there in both languages, and a
// fault names its field, what would be right, and the remedy.
func (m *matou) explained() {
	m.t.Helper()
	get := func(path string, out any) bool {
		req, err := http.NewRequest("GET", m.api+"/api/v1"+path, nil)
		if err != nil {
			return false
		}
		req.Header.Set("Authorization", "Bearer "+m.token)
		resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
		if err != nil {
			return false // a test may have left the server in any state
		}
		defer resp.Body.Close()
		return resp.StatusCode == 200 && json.NewDecoder(resp.Body).Decode(out) == nil
	}
	var devices struct {
		Items []struct{ Product, Name string }
	}
	if m.api == "" || !get("/devices?limit=100", &devices) {
		return
	}
	paths := []string{"/timeline?limit=100"}
	for _, d := range devices.Items {
		paths = append(paths, "/products/"+d.Product+"/devices/"+d.Name+"/timeline?limit=200")
	}
	told := map[string]bool{}
	for _, path := range paths {
		var line struct{ Items []entry }
		if !get(path, &line) {
			continue
		}
		for _, e := range line.Items {
			if e.Code == "device-log" || told[e.Code+e.Kind] { // the device's own words; one of a kind is enough
				continue
			}
			var why struct{ Code, Field, Expected, Advice, AdviceZh string }
			is := json.Unmarshal(e.Detail, &why) == nil && why.Code != "" && (e.Kind == "fault" || e.Kind == "refuse")
			bad := ""
			switch {
			case e.Sentence != "" && e.SentenceZh == "":
				bad = "nothing is said in Chinese"
			case e.Code != "tls-handshake" && english.MatchString(commands.ReplaceAllString(e.SentenceZh, "")):
				bad = "English in the Chinese sentence"
			case english.MatchString(commands.ReplaceAllString(why.AdviceZh, "")):
				bad = "English in the Chinese advice"
			case is && (why.Field == "" || why.Expected == ""):
				bad = "no field, or nothing that would be right"
			case is && (why.Advice == "" || why.AdviceZh == ""):
				bad = "no remedy"
			case is && e.Code == "":
				bad = "no code"
			}
			if bad != "" {
				told[e.Code+e.Kind] = true
				m.t.Errorf("%s: %s\n%s %s\n%s\n%s\n%s", path, bad, e.Kind, e.Code, e.Sentence, e.SentenceZh, e.Detail)
			}
		}
	}
}
