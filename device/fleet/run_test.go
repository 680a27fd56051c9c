package fleet

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
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

// TestAFleetThatNeverCameIsNoSuccess: also where the scenario expects nothing,
// which otherwise is well.
func TestAFleetThatNeverCameIsNoSuccess(t *testing.T) {
	quiet, _, _ := strings.Cut(mixed, "expect:")
	quiet = strings.NewReplacer("duration: 700ms", "duration: 300ms", "drain: 3s", "drain: 1s").Replace(quiet)
	if r := newCloud(t).run(quiet); !r.OK() || len(r.Checks) != 1 || r.Checks[0].Got != "24 of 24" {
		t.Errorf("%+v", r.Checks)
	}
	c := newCloud(t)
	c.ln.Close()
	if r := c.run(strings.Replace(quiet, "drain: 1s", "drain: 50ms", 1)); r.OK() || r.Checks[0].Got != "0 of 24" {
		t.Errorf("%+v", r.Checks)
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

// lampModel is a lamp of Aliyun with a fault to tell and a service to call.
const lampModel = `{"properties":[
  {"identifier":"Lux","name":"l","accessMode":"r","dataType":{"type":"int","specs":{"min":"0","max":"9"}}},
  {"identifier":"On","name":"o","accessMode":"rw","dataType":{"type":"bool","specs":{"0":"off","1":"on"}}}],
 "events":[{"identifier":"Fault","name":"f","type":"error","outputData":[
  {"identifier":"Code","name":"c","dataType":{"type":"enum","specs":{"3":"a","4":"b"}}},
  {"identifier":"Hot","name":"h","dataType":{"type":"bool","specs":{"0":"no","1":"yes"}}}]}],
 "services":[{"identifier":"Blink","name":"b","callType":"async",
  "inputData":[{"identifier":"Times","name":"t","dataType":{"type":"int","specs":{"min":"1","max":"20"}}}],
  "outputData":[{"identifier":"Done","name":"d","dataType":{"type":"int","specs":{"min":"5","max":"7"}}}]}]}`

// withLamps is a scenario of devices with that model.
func withLamps(t *testing.T, text string) *Scenario {
	t.Helper()
	s, err := Read("f", []byte(text), files(map[string]string{"lamp.json": lampModel}), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const lamps = `
seed: 3
duration: 800ms
groups: [{name: lamp, dialect: aliyun, product: a1, count: 4, secret: s, model: lamp.json, report: {every: 400ms}, events: {Fault: {every: 50ms, values: {Hot: {value: 1}}}}}]
expect: {lost: 0, rejected: 0}
`

// TestEventsOfTheModel has devices tell events whose output fits the model, at
// times that follow from the seed, and each is answered.
func TestEventsOfTheModel(t *testing.T) {
	var digests []string
	for range 2 {
		c := newCloud(t)
		r, err := withLamps(t, lamps).Run(t.Context(), Options{Dial: c.dial})
		if err != nil {
			t.Fatal(err)
		}
		if !r.OK() || r.Events < 20 || r.Events >= r.Posts || r.Answered != r.Posts || c.events != int(r.Events) {
			t.Errorf("%d events of %d posts, the cloud heard %d\n%+v", r.Events, r.Posts, c.events, r)
		}
		outputs := map[string]bool{}
		for _, p := range c.payloads {
			if _, rest, ok := strings.Cut(p, `"params":{"value":`); ok {
				output, _, _ := strings.Cut(rest, `,"time":`)
				outputs[output] = true
			}
		}
		if len(outputs) != 2 || !outputs[`{"Code":3,"Hot":1}`] || !outputs[`{"Code":4,"Hot":1}`] {
			t.Errorf("told %v", outputs)
		}
		digests = append(digests, r.Values+"/"+fmt.Sprint(r.Events))
	}
	if digests[0] != digests[1] {
		t.Errorf("one seed, two histories: %v", digests)
	}
}

// TestServicesAreAnsweredByTheModel calls a service that the model has, and one
// that it has not.
func TestServicesAreAnsweredByTheModel(t *testing.T) {
	c := newCloud(t)
	const on = "/sys/a1/lamp-000001/thing/service/"
	c.after = func(n int) (string, string) {
		switch n {
		case 1:
			return on + "Blink", `{"id":"71","version":"1.0","params":{"Times":2},"method":"thing.service.Blink"}`
		case 3: // 2 is the answer
			return on + "Fly", `{"id":"72","version":"1.0","params":{},"method":"thing.service.Fly"}`
		}
		return "", ""
	}
	s := withLamps(t, strings.Replace(lamps, "count: 4", "count: 1", 1))
	r, err := s.Run(t.Context(), Options{Dial: c.dial})
	if err != nil || r.CommandsTaken != 2 || r.CommandsAnswered != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	said := strings.Join(c.payloads, "\n")
	done := regexp.MustCompile(`\{"id":"71","code":200,"data":\{"Done":[567]\}\}`)
	if !done.MatchString(said) || !strings.Contains(said, `"id":"72","code":400,"message":"this device has no service Fly"`) {
		t.Errorf("answered\n%s", said)
	}
}

// TestCommandsSetAndCall looks at what a cloud is asked for.
func TestCommandsSetAndCall(t *testing.T) {
	for _, tt := range []struct {
		services    string
		sets, calls bool
	}{{"", true, false}, {", services: 50%", true, true}, {", services: 100%", false, true}} {
		c := newCloud(t)
		s := withLamps(t, lamps+"commands: {every: 5ms"+tt.services+"}\n")
		var mu sync.Mutex
		sets, calls := 0, 0
		r, err := s.Run(t.Context(), Options{Dial: c.dial, Command: func(_ context.Context, o Command) error {
			mu.Lock()
			defer mu.Unlock()
			switch times := o.Input["Times"]; {
			case o.Product != "a1" || !strings.HasPrefix(o.Device, "lamp-00000"):
				t.Errorf("asked for %+v", o)
			case o.Service == "":
				sets++
				if o.Property != "On" || o.Value.Shape != thing.Boolean {
					t.Errorf("asked for %+v", o)
				}
			default:
				calls++
				if o.Service != "Blink" || len(o.Input) != 1 || times.Int < 1 || times.Int > 20 {
					t.Errorf("asked for %+v", o)
				}
			}
			return nil
		}})
		if err != nil || sets > 0 != tt.sets || calls > 0 != tt.calls || r.CommandsDone != int64(sets+calls) || r.CommandsOrdered != r.CommandsDone {
			t.Errorf("services%s: %d sets, %d calls, %+v, %v", tt.services, sets, calls, r, err)
		}
	}
}

// TestVersionsOfMQTT has plain devices of each version on one server.
func TestVersionsOfMQTT(t *testing.T) {
	c := newCloud(t)
	c.five = packet.Properties{ReceiveMaximum: new(uint16), ServerKeepAlive: new(uint16)}
	*c.five.ReceiveMaximum, *c.five.ServerKeepAlive = 1, 30
	r := c.run(`
duration: 500ms
groups:
  - {name: old, dialect: mqtt, version: 3.1, product: f, count: 2, report: {every: 50ms}, values: {v: {value: 1}}}
  - {name: usual, dialect: mqtt, version: 3.1.1, product: f, count: 2, report: {every: 50ms}, values: {v: {value: 1}}}
  - {name: five, dialect: mqtt, version: 5, product: f, count: 2, report: {every: 50ms}, values: {v: {value: 1}}}
expect: {connected: 100%, answered: 100%, lost: 0, rejected: 0}
`)
	if got := fmt.Sprint(c.versions); !r.OK() || got != "map[3.1:2 3.1.1:2 5.0:2]" {
		t.Errorf("%s connected\n%+v", got, r)
	}
}

// TestNoOfMQTT5 has a server that takes no message and says so in its PUBACK,
// then one that sends devices away.
func TestNoOfMQTT5(t *testing.T) {
	const text = `
duration: 300ms
drain: 5s
groups: [{name: five, dialect: mqtt, version: 5, product: f, count: 1, report: {every: 50ms}, values: {v: {value: 1}}}]
`
	c := newCloud(t)
	c.puback = mqtt.QuotaExceeded
	r := c.run(text)
	if r.Rejected != r.Posts || r.Lost != 0 || len(r.Causes) != 1 || r.Causes[0].Why != "the server did not take it: quota exceeded (0x97)" {
		t.Errorf("%+v, %+v", r, r.Causes)
	}
	c = newCloud(t)
	c.bye = mqtt.ServerShuttingDown
	r = c.run(text + "reconnect: {min: 10ms, max: 20ms}\n")
	if r.Broken == 0 || len(r.Causes) != 1 || r.Causes[0].Why != "the server closed the connection: server shutting down (0x8B)" {
		t.Errorf("%+v, %+v", r, r.Causes)
	}
}

func TestWelcomeReadsNoFurther(t *testing.T) {
	long := append([]byte{0x20, 0x82, 0x01, 0, 0x86, 0x7F, 0x1F, 0, 0x7C}, strings.Repeat("x", 0x7C)...) // with a reason string
	for _, tt := range []struct {
		name string
		v    mqtt.Version
		in   []byte
		want string
	}{
		{"welcome", mqtt.V311, []byte{0x20, 2, 0, 0}, ""},
		{"welcome of 5", mqtt.V5, []byte{0x20, 6, 0, 0, 3, 0x21, 0, 9}, ""},
		{"refused", mqtt.V311, []byte{0x20, 2, 0, 4}, "code 4"},
		{"refused in a long CONNACK", mqtt.V5, long, "code 134"},
		{"hung up", mqtt.V311, []byte{0x20}, "without a CONNACK"},
		{"hung up in the middle", mqtt.V5, []byte{0x20, 6, 0}, "without a CONNACK"},
		{"another protocol", mqtt.V311, []byte("HTTP/1.1 400 Bad Request\r\n"), "answered in HTTP"},
		{"TLS", mqtt.V311, []byte{0x15, 3, 1, 0, 2, 2, 10}, "answered in TLS"},
		{"noise", mqtt.V311, []byte{0x99, 3, 1, 0, 2, 2, 10}, "99 03: is this an MQTT port?"},
		{"no length", mqtt.V5, []byte{0x20, 0xFF, 0xFF, 0xFF, 0xFF, 1}, "is this an MQTT port?"},
		{"a length beyond all bounds", mqtt.V5, []byte{0x20, 0xFF, 0xFF, 0xFF, 0x7F, 1}, "is this an MQTT port?"},
	} {
		r := bytes.NewReader(append(tt.in, "next"...))
		if strings.HasPrefix(tt.name, "hung") {
			r = bytes.NewReader(tt.in)
		}
		_, err := welcome(r, tt.v)
		switch {
		case tt.want != "":
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			}
		case err != nil || r.Len() != len("next"):
			t.Errorf("%s: %v, %d bytes left", tt.name, err, r.Len())
		}
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

func TestAWindowForgetsWhatWasBefore(t *testing.T) {
	var d Delays
	var w window
	for range 100 {
		d.Add(time.Second)
	}
	w.next(&d)
	if p := w.last.Quantile(0.5); p < time.Second || p > 1100*time.Millisecond {
		t.Errorf("%v", p)
	}
	for range 99 {
		d.Add(time.Millisecond)
	}
	d.Add(10 * time.Millisecond)
	w.next(&d)
	if p := w.last.Quantile(0.5); p < time.Millisecond || p > 1100*time.Microsecond || w.last.Count() != 100 {
		t.Errorf("%v of %d", p, w.last.Count())
	}
	if p := w.last.Quantile(1); p < 10*time.Millisecond || p > 11*time.Millisecond {
		t.Errorf("%v", p)
	}
	if w.next(&d); w.last.Count() != 0 || w.last.Quantile(0.99) != 0 {
		t.Errorf("nothing came: %v of %d", w.last.Quantile(0.99), w.last.Count())
	}
}

// FuzzWelcome has a server answer a CONNECT with anything.
func FuzzWelcome(f *testing.F) {
	f.Add([]byte{0x20, 2, 0, 0}, false)
	f.Add([]byte{0x20, 6, 0, 0, 3, 0x21, 0, 9}, true)
	f.Add([]byte{0x20, 2, 0, 5, 0x30}, false)
	f.Fuzz(func(t *testing.T, in []byte, five bool) {
		v := mqtt.V311
		if five {
			v = mqtt.V5
		}
		ack, err := welcome(bytes.NewReader(in), v)
		if err == nil && (ack == nil || ack.Reason != mqtt.Success || in[0] != 0x20) {
			t.Errorf("% x is a welcome: %+v", in, ack)
		}
	})
}
