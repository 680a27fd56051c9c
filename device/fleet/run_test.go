package fleet

import (
	"bytes"
	"context"
	"encoding/xml"
	"strings"
	"testing"
	"time"
)

// go runs a scenario against the cloud.
func (c *cloud) run(text string) *Result {
	c.t.Helper()
	s := scenario(c.t, text)
	r, err := s.Run(c.t.Context(), Options{Dial: c.dial, Explain: func(_ context.Context, product, device string) string {
		return "ask the owner of " + product + "/" + device
	}})
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

const mixed = `
name: test
seed: 7
duration: 700ms
ramp: 200ms
drain: 3s
groups:
  - {name: lamp, dialect: aliyun, product: a1, count: 8, secret: s, report: {every: 100ms, jitter: 50%}, values: {t: {curve: walk, low: 1, high: 9}}}
  - {name: tv, dialect: onenet, product: p, count: 8, secret: KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=, report: {every: 100ms}, values: {t: {curve: walk, low: 1, high: 9}}}
  - {name: pump, dialect: mqtt, product: f, count: 8, report: {every: 100ms}, values: {on: {values: [0, 1], type: bool}}}
expect: {connected: 100%, answered: 100%, lost: 0, rejected: 0, refused: 0, p99: 5s}
`

func TestEveryPostIsAnswered(t *testing.T) {
	c := newCloud(t)
	r := c.run(mixed)
	if !r.OK() || len(r.Checks) != 6 || r.Connected != 24 || r.Came != 24 || r.Resent != 0 {
		t.Errorf("%+v", r)
	}
	// 24 devices report every 100 ms from when they are switched on, 0 to 200 ms.
	if r.Posts < 24*5 || r.Posts > 24*8 || r.Answered != r.Posts || int(r.Posts) != c.n || r.Answers.Count != r.Posts {
		t.Errorf("%d posts, %d answered, the cloud heard %d", r.Posts, r.Answered, c.n)
	}
	if r.BytesADevice <= 0 {
		t.Errorf("a device takes %d bytes", r.BytesADevice)
	}
}

// TestSameSeedSameValues runs one scenario three times.
func TestSameSeedSameValues(t *testing.T) {
	first, again := newCloud(t).run(mixed), newCloud(t).run(mixed)
	other := newCloud(t).run(strings.Replace(mixed, "seed: 7", "seed: 8", 1))
	if first.Values != again.Values || first.Posts != again.Posts {
		t.Errorf("%s of %d posts, then %s of %d", first.Values, first.Posts, again.Values, again.Posts)
	}
	if first.Values == other.Values {
		t.Errorf("two seeds made the same values: %s", first.Values)
	}
}

// TestStormLosesNothing breaks all connections twice; what was not answered is
// sent again.
func TestStormLosesNothing(t *testing.T) {
	c := newCloud(t)
	r := c.run(strings.Replace(mixed, "expect:", "storms: [{at: 300ms, within: 20ms, away: 100ms}, {at: 500ms, share: 50%}]\nreconnect: {min: 20ms, max: 100ms}\nexpect:", 1))
	if !r.OK() || r.Lost != 0 {
		t.Errorf("%+v", r)
	}
	if r.Cut < 24 || r.Returns != r.Cut || r.Return.Count != r.Cut || int64(c.connects) != 24+r.Returns {
		t.Errorf("cut %d, returns %d (%d timed), the cloud saw %d connects", r.Cut, r.Returns, r.Return.Count, c.connects)
	}
}

// TestBadNetwork delays, loses and breaks.
func TestBadNetwork(t *testing.T) {
	c := newCloud(t)
	r := c.run(strings.Replace(mixed, "expect:", "network: {delay: 30ms, jitter: 20ms, loss: 2%, cutEvery: 1s}\nreconnect: {min: 20ms, max: 100ms}\nexpect:", 1))
	if !r.OK() {
		t.Errorf("%+v", r)
	}
	if r.Answers.P50 < 0.06 {
		t.Errorf("there and back takes 60 ms at least, and half of the posts took %v s", r.Answers.P50)
	}
	if r.Cut == 0 {
		t.Error("no connection broke")
	}
}

func TestRefusalsAreCountedByCause(t *testing.T) {
	c := newCloud(t)
	c.refuse = func(user string) byte {
		switch {
		case strings.HasSuffix(user, "&a1"):
			return 4
		case strings.HasPrefix(user, "f/"):
			return 5
		}
		return 0
	}
	r := c.run(strings.Replace(strings.Replace(mixed, "drain: 3s", "drain: 100ms", 1), "expect:", "reconnect: {min: 10ms, max: 50ms}\nexpect:", 1))
	if r.OK() || r.Connected != 8 || r.Refused < 32 || r.Lost == 0 {
		t.Errorf("%+v", r)
	}
	if len(r.Causes) != 2 {
		t.Fatalf("%d causes of two", len(r.Causes))
	}
	for _, cause := range r.Causes {
		want := map[string]int{"lamp": 4, "pump": 5}[cause.Group]
		if cause.What != "refused" || cause.Code != want || cause.Count < 16 || !strings.HasPrefix(cause.Advice, "ask the owner of ") || !strings.Contains(cause.Advice, cause.Device) {
			t.Errorf("%+v", cause)
		}
	}
	failed := map[string]bool{}
	for _, check := range r.Checks {
		failed[check.Name] = !check.OK
	}
	if !failed["connected"] || !failed["answered"] || !failed["lost"] || !failed["refused"] || failed["p99"] {
		t.Errorf("%+v", r.Checks)
	}
}

func TestUnreachableIsOneCause(t *testing.T) {
	c := newCloud(t)
	c.ln.Close()
	r := c.run(strings.Replace(mixed, "drain: 3s", "drain: 50ms", 1))
	if r.OK() || r.Failed < 24 || len(r.Causes) != 3 || r.Causes[0].What != "connect" || !strings.Contains(r.Causes[0].Why, "connection refused: is the server running") {
		t.Errorf("%+v", r)
		for _, cause := range r.Causes {
			t.Logf("%+v", cause)
		}
	}
}

func TestRejectedAndUnanswered(t *testing.T) {
	c := newCloud(t)
	c.reply = func(topic string, n int) string {
		switch {
		case strings.HasPrefix(topic, "/sys"):
			return `"code":460,"message":"request parameter error","data":{}`
		case strings.HasPrefix(topic, "$sys"):
			return ""
		}
		return `"code":200`
	}
	r := c.run(strings.Replace(mixed, "drain: 3s", "drain: 200ms", 1))
	if r.OK() || r.Rejected == 0 || r.Lost == 0 || r.Acked != r.Posts || r.Rejected+r.Lost >= r.Posts {
		t.Errorf("%+v", r)
	}
	if len(r.Causes) != 1 || r.Causes[0].What != "post" || r.Causes[0].Count != r.Rejected || !strings.Contains(r.Causes[0].Why, "request parameter error") {
		t.Errorf("%+v", r.Causes)
	}
}

func TestCommandsAreAnsweredAndAdopted(t *testing.T) {
	c := newCloud(t)
	c.after = func(n int) (string, string) {
		if n == 1 {
			return "f/pump-000001/set", `{"id":"1","values":{"Speed":4711}}`
		}
		return "", ""
	}
	r := c.run(`
duration: 500ms
groups: [{name: pump, dialect: mqtt, product: f, count: 1, report: {every: 50ms}, values: {Speed: {value: 1, decimals: 0}}, answer: {delay: 20ms}}]
expect: {lost: 0}
`)
	if !r.OK() || r.CommandsTaken != 1 || r.CommandsAnswered != 1 || c.heard["reply"] != 1 {
		t.Errorf("%+v, heard %v", r, c.heard)
	}
	if !strings.Contains(c.payloads[0], `"Speed":1}`) || !strings.Contains(c.payloads[len(c.payloads)-1], `"Speed":4711}`) {
		t.Errorf("reported first %s, last %s", c.payloads[0], c.payloads[len(c.payloads)-1])
	}
}

// TestQueueOfADeviceIsBounded holds a device that is never answered to its
// bound.
func TestQueueOfADeviceIsBounded(t *testing.T) {
	c := newCloud(t)
	c.silence = true
	r := c.run(`
duration: 2s
drain: 10ms
groups: [{name: pump, dialect: mqtt, product: f, count: 1, report: {every: 10ms}, values: {v: {value: 1}}}]
`)
	if r.Posts < 195 || r.Dropped != r.Posts-maxPosts || r.Sent > maxInflight+r.Dropped || r.Lost != r.Posts {
		t.Errorf("%+v", r)
	}
}

func TestInterruptedRunIsNoSuccess(t *testing.T) {
	c := newCloud(t)
	s := scenario(t, strings.Replace(mixed, "duration: 700ms", "duration: 1h", 1))
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan struct{})
	go func() {
		<-seen
		cancel()
	}()
	told := false
	r, err := s.Run(ctx, Options{Dial: c.dial, Progress: func(p Progress) {
		if !told && p.Answered > 0 {
			told = true
			close(seen)
		}
	}})
	if err != nil || !r.Interrupted || r.OK() {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestNoSecretsIsAnError(t *testing.T) {
	s := scenario(t, "groups: [{name: g, dialect: aliyun, product: p, count: 1, values: {v: {value: 1}}}]")
	if _, err := s.Run(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "group g has no secrets") {
		t.Error(err)
	}
}

func TestJUnit(t *testing.T) {
	r := &Result{Scenario: "storm", Seconds: 1.5, Checks: []Check{{"lost", "at most 0", "3", false}, {"p99", "at most 1s", "20ms", true}}}
	var b bytes.Buffer
	if err := r.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal(b.Bytes(), &suite); err != nil {
		t.Fatal(err)
	}
	if suite.Tests != 3 || suite.Failures != 1 || suite.Cases[0].Failure != nil || suite.Cases[1].Failure.Message != "want at most 0, got 3" || suite.Cases[2].Failure != nil {
		t.Errorf("%s", b.String())
	}
}

// TestScheduleWakesInOrder keeps the earliest of a member's times.
func TestScheduleWakesInOrder(t *testing.T) {
	var woken []int32
	done := make(chan struct{})
	now := func() time.Duration { return time.Hour }
	s := newSchedule(now, func(m *member) {
		if woken = append(woken, m.index); len(woken) == 3 {
			close(done)
		}
	})
	all := []member{{index: 0, place: -1}, {index: 1, place: -1}, {index: 2, place: -1}}
	s.at(&all[0], 30)
	s.at(&all[1], 20)
	s.at(&all[2], 10)
	s.at(&all[0], 5)  // earlier
	s.at(&all[2], 50) // later: nothing changes
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan time.Duration)
	go func() { ended <- s.run(ctx) }()
	<-done
	cancel()
	if late := <-ended; late != time.Hour-5 {
		t.Errorf("late by %v", late)
	}
	if woken[0] != 0 || woken[1] != 2 || woken[2] != 1 {
		t.Errorf("woken in the order %v", woken)
	}
}
