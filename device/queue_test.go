package device

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPlainReportWaitsForItsAcknowledgementOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		d := c.start(Options{Identity: pump}, nil)
		c.accept()
		c.subscribed()
		done := make(chan error, 1)
		go func() { done <- d.Report(t.Context(), Values{"Power": 1, "On": true}) }()
		c.want("farm/pump1/properties", `{"On":true,"Power":1}`)
		if err := <-done; err != nil {
			t.Errorf("Report = %v", err)
		}
		go func() { done <- d.Event(t.Context(), "Fault", Values{"Code": 3}, time.Time{}) }()
		c.want("farm/pump1/events/Fault", `{"Code":3}`)
		if err := <-done; err != nil {
			t.Errorf("Event = %v", err)
		}
		if _, err := d.Desired(t.Context(), "Power"); !errors.Is(err, ErrNoDesired) {
			t.Errorf("Desired = %v, want ErrNoDesired", err)
		}
	})
}

// TestQueueWhileAway holds the bound: the oldest go, the others arrive in
// order and with their times.
func TestQueueWhileAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		var reported []string
		d := c.start(Options{Identity: pump, Queue: 3, OnReport: func(r []Reading, _ time.Duration, err error) {
			reported = append(reported, fmt.Sprintf("%v %v", r[0].Value, err))
		}}, nil)
		c.accept()
		c.subscribed()
		d.Post(Values{"n": 0})
		c.want("farm/pump1/properties", `{"n":0}`)
		c.conn.Close()
		synctest.Wait()
		if d.Connected() {
			t.Fatal("connected without a connection")
		}
		// The sender takes the first and waits with it for the connection.
		d.Post(Values{"n": 1})
		synctest.Wait()
		for n := 2; n <= 6; n++ {
			d.Post(Values{"n": n})
		}
		if d.Waiting() != 3 || d.Dropped() != 2 {
			t.Errorf("%d wait, %d dropped; want 3 and 2", d.Waiting(), d.Dropped())
		}
		posted := time.Now().UnixMilli()
		c.accept()
		c.subscribed()
		for _, n := range []int{1, 4, 5, 6} {
			c.want("farm/pump1/properties", fmt.Sprintf(`{"n":{"value":%d,"time":%d}}`, n, posted))
		}
		synctest.Wait()
		if got, want := fmt.Sprint(reported), "[0 <nil> 1 <nil> 4 <nil> 5 <nil> 6 <nil>]"; got != want {
			t.Errorf("OnReport: %s, want %s", got, want)
		}
		if d.Waiting() != 0 {
			t.Errorf("%d still wait", d.Waiting())
		}
	})
}

func TestOnChangePostsWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		readings := []Values{
			{"t": 20.0, "on": false}, {"t": 20.4, "on": false}, {"t": 20.5, "on": true}, {"t": 20.5, "on": true}, {"t": 19, "on": true},
		}
		c := newCloud(t)
		c.start(Options{Identity: pump}, func(d *Device) {
			d.OnChange(time.Second, 0.5, func(context.Context) (Values, error) {
				if len(readings) == 0 {
					return nil, nil
				}
				v := readings[0]
				readings = readings[1:]
				return v, nil
			})
		})
		c.accept()
		c.subscribed()
		began := time.Now()
		for _, want := range []struct {
			after   time.Duration
			payload string
		}{{0, `{"on":false,"t":20}`}, {2 * time.Second, `{"on":true,"t":20.5}`}, {4 * time.Second, `{"t":19}`}} {
			c.want("farm/pump1/properties", want.payload)
			if d := time.Since(began); d != want.after {
				t.Errorf("%s after %v, want %v", want.payload, d, want.after)
			}
		}
	})
}

// TestWhatWasReportedHasNotChanged has a value that another report, or a set,
// has told already: it is no change any more.
func TestWhatWasReportedHasNotChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		var n atomic.Int64
		d := c.start(Options{Identity: pump}, func(d *Device) {
			d.OnChange(2*time.Second, 0, func(context.Context) (Values, error) { return Values{"n": n.Load()}, nil })
		})
		c.accept()
		c.subscribed()
		c.want("farm/pump1/properties", `{"n":0}`)
		synctest.Wait()
		n.Store(1)
		d.Post(Values{"n": 1})
		c.want("farm/pump1/properties", `{"n":1}`)
		<-time.After(3 * time.Second) // OnChange has looked meanwhile
		n.Store(2)
		c.want("farm/pump1/properties", `{"n":2}`)
	})
}

func TestDiffers(t *testing.T) {
	for _, tt := range []struct {
		a, b      any
		tolerance float64
		want      bool
	}{
		{1, 1.0, 0, false}, {1, uint8(2), 0, true}, {1, 2, 2, false}, {true, false, 9, true}, {true, true, 0, false},
		{"a", "b", 0, true}, {"a", 1, 0, true}, {nil, nil, 0, false}, {nil, 1, 0, true}, {[]int{1}, []int{1}, 0, false},
	} {
		if got := differs(tt.a, tt.b, tt.tolerance); got != tt.want {
			t.Errorf("differs(%v, %v, %v) = %v", tt.a, tt.b, tt.tolerance, got)
		}
	}
}

func TestPropertiesThatFailAreLeftOut(t *testing.T) {
	broken := errors.New("no pulse on the data line")
	v, err := Properties{
		"t": func(context.Context) (any, error) { return 21.5, nil },
		"h": func(context.Context) (any, error) { return nil, broken },
	}.Read(t.Context())
	if len(v) != 1 || v["t"] != 21.5 || !errors.Is(err, broken) || err.Error() != "h: no pulse on the data line" {
		t.Errorf("%v, %v", v, err)
	}
}

func TestDesiredIsCarriedOutAfterEachConnection(t *testing.T) {
	for _, tt := range []struct {
		name             string
		id               Identity
		root, suffix     string
		question, forget string
		answer           string
	}{
		{"Aliyun [aliyun-device §4.15]", lamp, lampRoot + "thing/property/desired/", "_reply",
			`{"id":"1","version":"1.0","params":["NightLightSwitch"],"method":"thing.property.desired.get"}`,
			`{"id":"2","version":"1.0","params":{"NightLightSwitch":{"version":4}},"method":"thing.property.desired.delete"}`,
			`{"code":200,"data":{"NightLightSwitch":{"value":1,"version":4}},"id":"1","message":"success"}`},
		{"OneNET [onenet §3.2]", tv, tvRoot + "property/desired/", "/reply",
			`{"id":"1","version":"1.0","params":["NightLightSwitch"]}`,
			`{"id":"2","version":"1.0","params":{"NightLightSwitch":{"version":4}}}`,
			`{"id":"1","code":200,"msg":"success","data":{"NightLightSwitch":{"value":1,"version":4}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t)
				set := make(chan string, 1)
				c.start(Options{Identity: tt.id, Desired: []string{"NightLightSwitch"}}, func(d *Device) {
					d.OnSet(func(_ context.Context, p Params) error {
						set <- text(p)
						return nil
					})
				})
				c.accept()
				c.subscribed()
				c.want(tt.root+"get", tt.question)
				c.say(tt.root+"get"+tt.suffix, tt.answer)
				if got := <-set; got != "NightLightSwitch=1" {
					t.Errorf("carried out %s", got)
				}
				c.want(tt.root+"delete", tt.forget)
				c.say(tt.root+"delete"+tt.suffix, `{"id":"2","code":200}`)
				c.conn.Close()
				c.accept()
				c.subscribed()
				p := c.publish()
				if string(p.Topic) != tt.root+"get" {
					t.Errorf("after a reconnect came %s", p.Topic)
				}
			})
		})
	}
}

func TestAwayIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("no route to host")
		var away []error
		came := 0
		d, err := New(Options{
			Identity: pump, MinBackoff: time.Second, MaxBackoff: 2 * time.Second,
			Dial:      (&flaky{err: refused}).dial,
			OnConnect: func() { came++ },
			OnAway:    func(err error) { away = append(away, err) },
			GiveUp:    func(error) bool { return len(away) == 5 },
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := d.Run(t.Context()); !errors.Is(err, refused) {
			t.Errorf("Run = %v", err)
		}
		if len(away) != 5 || came != 0 {
			t.Errorf("away %d times, connected %d times", len(away), came)
		}
		if took := time.Since(began); took > 4*2*time.Second {
			t.Errorf("four waits of at most 2s took %v", took)
		}
	})
}

func TestSecure(t *testing.T) {
	for url, want := range map[string]bool{"mqtt://h": false, "mqtts://h": true, "WSS://h/mqtt": true, "ws://h": false, "": false} {
		if got := (&Options{URL: url}).secure(); got != want {
			t.Errorf("%s: %v", url, got)
		}
	}
	if _, err := New(Options{Identity: pump, URL: "ftp://h"}); err == nil {
		t.Error("ftp is no transport")
	}
}
