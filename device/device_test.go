package device

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/onenet"
	"github.com/matou-iot/matou/thing"
)

var (
	lamp = Aliyun{ProductKey: "a1NightLamp", DeviceName: "lamp01", DeviceSecret: "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"}
	tv   = OneNET{ProductID: "VRqhDHF2wL", DeviceName: "my_tv", Key: "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw="}
	pump = MQTT{Product: "farm", DeviceName: "pump1", Secret: "Correct-Horse-7"}
)

const (
	lampRoot = "/sys/a1NightLamp/lamp01/"
	tvRoot   = "$sys/VRqhDHF2wL/my_tv/thing/"
)

func TestSubscriptions(t *testing.T) {
	for _, tt := range []struct {
		name string
		id   Identity
		want []string
	}{
		{"Aliyun", lamp, []string{lampRoot + "thing/event/+/post_reply", lampRoot + "thing/service/+",
			lampRoot + "thing/service/property/set", lampRoot + "rrpc/request/+", lampRoot + "thing/property/desired/+"}},
		{"OneNET", tv, []string{tvRoot + "property/post/reply", tvRoot + "property/set",
			tvRoot + "event/post/reply", tvRoot + "service/+/invoke", tvRoot + "property/desired/+/reply"}},
		{"plain MQTT", pump, []string{"farm/pump1/set", "farm/pump1/services/+"}},
		{"plain MQTT with a root of its own", MQTT{Product: "farm", DeviceName: "pump1", Root: "a/b/"}, []string{"a/b/set", "a/b/services/+"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t)
				c.start(Options{Identity: tt.id}, nil)
				c.accept()
				if got := c.subscribed(); !slices.Equal(got, tt.want) {
					t.Errorf("subscribed to %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestLogin(t *testing.T) {
	secured := lamp
	secured.Method, secured.ClientID = "hmacsha1", "mylight"
	for _, tt := range []struct {
		name   string
		o      Options
		id     string
		user   string
		verify func(c *packet.Connect) bool
	}{
		{"Aliyun", Options{Identity: lamp}, "a1NightLamp.lamp01|securemode=3,signmethod=hmacsha256,timestamp=946684800000|", "lamp01&a1NightLamp",
			func(c *packet.Connect) bool {
				_, ok := aliyun.Verify(aliyun.Sent{ClientID: c.ClientID, Username: c.Username, Password: c.Password}, lamp.DeviceSecret)
				return ok
			}},
		{"Aliyun over TLS, other method and client id", Options{Identity: secured, TLS: &tls.Config{}}, "mylight|securemode=2,signmethod=hmacsha1,timestamp=946684800000|", "lamp01&a1NightLamp",
			func(c *packet.Connect) bool {
				_, ok := aliyun.Verify(aliyun.Sent{ClientID: c.ClientID, Username: c.Username, Password: c.Password}, lamp.DeviceSecret)
				return ok
			}},
		{"OneNET, for an hour", Options{Identity: tv}, "my_tv", "VRqhDHF2wL",
			func(c *packet.Connect) bool {
				m, ok := onenet.Verify(onenet.Sent{ClientID: c.ClientID, Username: c.Username, Password: c.Password}, onenet.Keys{Device: tv.Key}, time.Now())
				return ok && m.Expiry.Equal(time.Now().Add(time.Hour).Truncate(time.Second)) && m.Token.Method == onenet.SHA256
			}},
		{"plain MQTT", Options{Identity: pump}, "farm.pump1", "farm/pump1", func(c *packet.Connect) bool { return string(c.Password) == pump.Secret }},
		{"plain MQTT, anonymous", Options{Identity: MQTT{Product: "farm", DeviceName: "pump1", ClientID: "x", Username: "y"}}, "x", "y",
			func(c *packet.Connect) bool { return !c.HasPassword }},
		{"Aliyun, ready-made [seed 000]", Options{Identity: Aliyun{ProductKey: "k19g7hBjoOD", DeviceName: "testdevice1",
			ClientID: "k19g7hBjoOD.testdevice1|securemode=2,signmethod=hmacsha256,timestamp=1729065411543|", Password: "7b2e3f79"}},
			"k19g7hBjoOD.testdevice1|securemode=2,signmethod=hmacsha256,timestamp=1729065411543|", "testdevice1&k19g7hBjoOD",
			func(c *packet.Connect) bool { return string(c.Password) == "7b2e3f79" }},
		{"OneNET, ready-made", Options{Identity: OneNET{ProductID: "VRqhDHF2wL", DeviceName: "my_tv", Token: "version=2018-10-31&res=x"}}, "my_tv", "VRqhDHF2wL",
			func(c *packet.Connect) bool { return string(c.Password) == "version=2018-10-31&res=x" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // where time begins at 2000-01-01
				c := newCloud(t)
				c.start(tt.o, nil)
				h := c.accept()
				if h.ClientID != tt.id || h.Username != tt.user || !tt.verify(h) {
					t.Errorf("CONNECT %q, %q, %q: verify = %v", h.ClientID, h.Username, h.Password, tt.verify(h))
				}
				if !h.CleanStart || h.Will != nil || h.KeepAlive != 60 {
					t.Errorf("CONNECT %+v: OneNET takes clean sessions without will only", h)
				}
			})
		})
	}
}

func TestReport(t *testing.T) {
	at := time.UnixMilli(1524448722000)
	for _, tt := range []struct {
		name     string
		id       Identity
		readings []Reading
		topic    string
		want     string
		replyOn  string
		reply    string
		err      string // "" if the cloud takes it
	}{
		{"Alink property post [Alink property post]", lamp,
			[]Reading{{ID: "CurrentTemperature", Value: 25.6}, {ID: "NightLightSwitch", Value: true}},
			lampRoot + "thing/event/property/post",
			`{"id":"1","version":"1.0","params":{"CurrentTemperature":25.6,"NightLightSwitch":1},"method":"thing.event.property.post"}`,
			lampRoot + "thing/event/property/post_reply",
			`{"code":200,"data":{},"id":"1","message":"success","method":"thing.event.property.post","version":"1.0"}`, ""},
		{"Alink with time", lamp, []Reading{{"CurrentTemperature", 25.6, at}},
			lampRoot + "thing/event/property/post",
			`{"id":"1","version":"1.0","params":{"CurrentTemperature":{"value":25.6,"time":1524448722000}},"method":"thing.event.property.post"}`,
			lampRoot + "thing/event/property/post_reply", `{"id":"1","code":200,"data":{}}`, ""},
		{"Alink: some values filtered out, code 200 all the same [aliyun-device §5.6]", lamp, []Reading{{ID: "LightSwitch", Value: 1}},
			lampRoot + "thing/event/property/post",
			`{"id":"1","version":"1.0","params":{"LightSwitch":1},"method":"thing.event.property.post"}`,
			lampRoot + "thing/event/property/post_reply",
			`{"code":200,"data":{"LightSwitch":"tsl parse: params not exist"},"id":"1","message":"success"}`, "params not exist"},
		{"Alink refused", lamp, []Reading{{ID: "x", Value: 1}},
			lampRoot + "thing/event/property/post",
			`{"id":"1","version":"1.0","params":{"x":1},"method":"thing.event.property.post"}`,
			lampRoot + "thing/event/property/post_reply", `{"code":460,"data":{},"id":"1","message":"request parameter error"}`, "code 460 (request parameter error)"},
		{"OneJSON property post [OneJSON property post]", tv, []Reading{{ID: "wendu", Value: 21.1}, {ID: "on", Value: true}},
			tvRoot + "property/post",
			`{"id":"1","version":"1.0","params":{"wendu":{"value":21.1},"on":{"value":true}}}`,
			tvRoot + "property/post/reply", `{"id":"1","code":200,"msg":"success"}`, ""},
		{"OneJSON with time", tv, []Reading{{"wendu", 21, at}},
			tvRoot + "property/post",
			`{"id":"1","version":"1.0","params":{"wendu":{"value":21,"time":1524448722000}}}`,
			tvRoot + "property/post/reply", `{"id":1,"code":200,"msg":"success"}`, ""},
		{"OneJSON refused", tv, []Reading{{ID: "wendu", Value: "hot"}},
			tvRoot + "property/post",
			`{"id":"1","version":"1.0","params":{"wendu":{"value":"hot"}}}`,
			tvRoot + "property/post/reply", `{"id":"1","code":2306,"msg":"type error"}`, "code 2306 (type error)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t)
				d := c.start(Options{Identity: tt.id}, nil)
				c.accept()
				c.subscribed()
				done := make(chan error, 1)
				go func() { done <- d.ReportReadings(t.Context(), tt.readings...) }()
				c.want(tt.topic, tt.want)
				c.say(tt.replyOn, `{"id":"99","code":200}`) // somebody else's
				synctest.Wait()
				if len(done) > 0 {
					t.Fatalf("Report = %v before its reply", <-done)
				}
				c.say(tt.replyOn, tt.reply)
				err := <-done
				if tt.err == "" {
					if err != nil {
						t.Errorf("Report = %v", err)
					}
					return
				}
				var r *Rejected
				if !errors.As(err, &r) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("Report = %v, want *Rejected saying %q", err, tt.err)
				}
			})
		})
	}
}

func TestEvent(t *testing.T) {
	at := time.UnixMilli(1700000000000)
	for _, tt := range []struct {
		name           string
		id             Identity
		topic, want    string
		replyOn, reply string
	}{
		{"Alink event post", lamp, lampRoot + "thing/event/SensorFault/post",
			`{"id":"1","version":"1.0","params":{"value":{"FaultCode":1},"time":1700000000000},"method":"thing.event.SensorFault.post"}`,
			lampRoot + "thing/event/SensorFault/post_reply", `{"code":200,"data":{},"id":"1"}`},
		{"OneJSON event post", tv, tvRoot + "event/post",
			`{"id":"1","version":"1.0","params":{"SensorFault":{"value":{"FaultCode":1},"time":1700000000000}}}`,
			tvRoot + "event/post/reply", `{"id":"1","code":200,"msg":"success"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t)
				d := c.start(Options{Identity: tt.id}, nil)
				c.accept()
				c.subscribed()
				done := make(chan error, 1)
				go func() { done <- d.Event(t.Context(), "SensorFault", Values{"FaultCode": 1}, at) }()
				c.want(tt.topic, tt.want)
				c.say(tt.replyOn, tt.reply)
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestSwitchesAreSaidAsTheVendorDoes has bool written as 0 and 1 for Aliyun
// alone, in events and answers as in reports [Aliyun TSL bool].
func TestSwitchesAreSaidAsTheVendorDoes(t *testing.T) {
	for _, tt := range []struct {
		id            Identity
		call          Heard
		event, answer string
	}{
		{lamp, Heard{Kind: Invoke, Topic: lampRoot + "thing/service/Blink", ID: "7"}, `"value":{"Hot":1}`, `"data":{"Off":0}`},
		{tv, Heard{Kind: Invoke, Topic: tvRoot + "service/Blink/invoke", ID: "7"}, `"value":{"Hot":true}`, `"data":{"Off":false}`},
		{pump, Heard{Kind: Invoke, Topic: "farm/pump1/services/Blink", ID: "7"}, `{"Hot":true}`, `"output":{"Off":false}`},
	} {
		s, err := tt.id.Speech(false)
		if err != nil {
			t.Fatal(err)
		}
		event, err := s.Event("1", "Fault", readings(Values{"Hot": true}), time.Time{})
		if err != nil || !strings.Contains(string(event.Payload), tt.event) {
			t.Errorf("event %s, %v; want %s", event.Payload, err, tt.event)
		}
		answer, err := s.Answer(tt.call, Values{"Off": false}, nil)
		if err != nil || !strings.Contains(string(answer.Payload), tt.answer) {
			t.Errorf("answer %s, %v; want %s", answer.Payload, err, tt.answer)
		}
	}
}

// TestSlowDialHasItsTime connects over something that takes a minute to set up,
// such as a module that registers first.
func TestSlowDialHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		dial := func(ctx context.Context) (net.Conn, error) {
			select {
			case <-time.After(time.Minute):
				return c.dial(ctx)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		for timeout, want := range map[time.Duration]bool{0: false, 2 * time.Minute: true} {
			failed := make(chan error, 1)
			ctx, cancel := context.WithCancel(t.Context())
			came := make(chan struct{}, 1)
			d, err := New(Options{Identity: pump, Dial: dial, ConnectTimeout: timeout, OnConnect: func() { came <- struct{}{} },
				GiveUp: func(err error) bool { failed <- err; return true }})
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- d.Run(ctx) }()
			if want {
				c.accept()
				<-came
				c.conn.Close()
				cancel()
			} else if err := <-failed; !strings.Contains(err.Error(), "deadline exceeded") {
				t.Errorf("gave up with %v", err)
			}
			<-ended
			cancel()
		}
	})
}

func TestRunSaysWhatItCannotDo(t *testing.T) {
	read := func(context.Context) (Values, error) { return nil, nil }
	for want, set := range map[string]func(*Device){
		"an interval above 0, not 0s":  func(d *Device) { d.Every(0, read) },
		"an interval above 0, not -1s": func(d *Device) { d.OnChange(-time.Second, 0, read) },
		"a function that reads":        func(d *Device) { d.Every(time.Second, nil) },
	} {
		d, err := New(Options{Identity: pump})
		if err != nil {
			t.Fatal(err)
		}
		set(d)
		if err := d.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Run = %v, want %s", err, want)
		}
	}
	d, err := New(Options{Identity: pump})
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Run(ended); err != nil {
		t.Errorf("the first Run = %v", err)
	}
	if err := d.Run(ended); err == nil || !strings.Contains(err.Error(), "called before") {
		t.Errorf("the second Run = %v", err)
	}
}

// TestDeviceThatBeginsAway measures from its first interval on, and reports it
// all when it comes to the network.
func TestDeviceThatBeginsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		n := 0
		c.start(Options{Identity: pump}, func(d *Device) {
			d.Every(time.Second, func(context.Context) (Values, error) {
				n++
				return Values{"n": n}, nil
			})
		})
		began := time.Now()
		<-time.After(3*time.Second + time.Millisecond)
		c.accept()
		c.subscribed()
		for i := 1; i <= 3; i++ {
			c.want("farm/pump1/properties", fmt.Sprintf(`{"n":{"value":%d,"time":%d}}`, i, began.Add(time.Duration(i)*time.Second).UnixMilli()))
		}
	})
}

func TestCallsAreCarriedOutAndAnswered(t *testing.T) {
	failing := errors.New(`no "power"`)
	for _, tt := range []struct {
		name         string
		id           Identity
		topic, say   string
		fail         error
		heard        string
		answerOn     string
		answer       string
		withHandlers bool
	}{
		{"Alink set", lamp, lampRoot + "thing/service/property/set",
			`{"method":"thing.service.property.set","id":"1865450001","params":{"NightLightSwitch":1},"version":"1.0.0"}`, nil,
			"set NightLightSwitch=1", lampRoot + "thing/service/property/set_reply", `{"id":"1865450001","code":200,"data":{}}`, true},
		{"Alink set that fails", lamp, lampRoot + "thing/service/property/set",
			`{"id":"7","params":{"NightLightSwitch":1}}`, failing,
			"set NightLightSwitch=1", lampRoot + "thing/service/property/set_reply",
			`{"id":"7","code":400,"message":"no \"power\"","data":{}}`, true},
		{"Alink service, asynchronous", lamp, lampRoot + "thing/service/Blink",
			`{"method":"thing.service.Blink","id":"8","params":{"Times":3},"version":"1.0.0"}`, nil,
			"Blink Times=3", lampRoot + "thing/service/Blink_reply", `{"id":"8","code":200,"data":{"Done":3}}`, true},
		{"Alink service, synchronous [aliyun-device §4.6]", lamp, lampRoot + "rrpc/request/889455942124347392",
			`{"method":"thing.service.Blink","id":"9","params":{"Times":3},"version":"1.0.0"}`, nil,
			"Blink Times=3", lampRoot + "rrpc/response/889455942124347392", `{"id":"9","code":200,"data":{"Done":3}}`, true},
		{"OneJSON set", tv, tvRoot + "property/set", `{"id":"1","version":"1.0","params":{"door_status":true}}`, nil,
			"set door_status=true", tvRoot + "property/set_reply", `{"id":"1","code":200,"msg":"success"}`, true},
		{"OneJSON set that fails", tv, tvRoot + "property/set", `{"id":"1","params":{"a":{"b":[1, 2]}}}`, failing,
			`set a={"b":[1,2]}`, tvRoot + "property/set_reply", `{"id":"1","code":400,"msg":"no \"power\""}`, true},
		{"OneJSON service", tv, tvRoot + "service/Blink/invoke", `{"id":"123","version":"1.0","params":{"Times":3}}`, nil,
			"Blink Times=3", tvRoot + "service/Blink/invoke_reply", `{"id":"123","code":200,"msg":"success","data":{"Done":3}}`, true},
		{"plain set", pump, "farm/pump1/set", `{"id":"7","values":{"Power":1}}`, nil,
			"set Power=1", "farm/pump1/set/reply", `{"id":"7","code":200}`, true},
		{"plain set that fails", pump, "farm/pump1/set", `{"id":7,"values":{"Power":1}}`, failing,
			"set Power=1", "farm/pump1/set/reply", `{"id":"7","code":400,"message":"no \"power\""}`, true},
		{"plain service", pump, "farm/pump1/services/flush", `{"id":"8","input":{"Times":3}}`, nil,
			"flush Times=3", "farm/pump1/services/flush/reply", `{"id":"8","code":200,"output":{"Done":3}}`, true},
		{"no handler", tv, tvRoot + "property/set", `{"id":"1","params":{}}`, nil,
			"", tvRoot + "property/set_reply", `{"id":"1","code":400,"msg":"this device does not do that"}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t)
				heard := make(chan string, 1)
				c.start(Options{Identity: tt.id}, func(d *Device) {
					if !tt.withHandlers {
						return
					}
					d.OnSet(func(_ context.Context, p Params) error {
						heard <- "set " + text(p)
						return tt.fail
					})
					d.OnInvoke(func(_ context.Context, service string, in Params) (Values, error) {
						heard <- service + " " + text(in)
						return Values{"Done": 3}, tt.fail
					})
				})
				c.accept()
				c.subscribed()
				c.say(tt.topic, tt.say)
				c.want(tt.answerOn, tt.answer)
				if tt.withHandlers {
					if got := <-heard; got != tt.heard {
						t.Errorf("handler got %q, want %q", got, tt.heard)
					}
				}
			})
		})
	}
}

func text(p Params) (s string) {
	for id, v := range p {
		s += id + "=" + v.String()
	}
	return s
}

func TestHandlerMayReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		reported := make(chan error, 1)
		c.start(Options{Identity: lamp}, func(d *Device) {
			d.OnSet(func(ctx context.Context, p Params) error {
				on, _ := p.Bool("NightLightSwitch")
				reported <- d.Report(ctx, Values{"NightLightSwitch": on})
				return nil
			})
		})
		c.accept()
		c.subscribed()
		c.say(lampRoot+"thing/service/property/set", `{"id":"5","params":{"NightLightSwitch":1}}`)
		c.want(lampRoot+"thing/event/property/post",
			`{"id":"1","version":"1.0","params":{"NightLightSwitch":1},"method":"thing.event.property.post"}`)
		c.say(lampRoot+"thing/event/property/post_reply", `{"id":"1","code":200,"data":{}}`)
		if err := <-reported; err != nil {
			t.Errorf("Report inside a handler = %v", err)
		}
		c.want(lampRoot+"thing/service/property/set_reply", `{"id":"5","code":200,"data":{}}`)
	})
}

func TestEveryReportsAtOnceAndThenInItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		n := 0
		c.start(Options{Identity: tv, ReplyTimeout: -1}, func(d *Device) {
			d.Every(5*time.Second, func(context.Context) (Values, error) {
				n++
				if n == 2 {
					return nil, errors.New("the sensor is cold")
				}
				return Values{"wendu": n}, nil
			})
		})
		c.accept()
		c.subscribed()
		began := time.Now()
		c.want(tvRoot+"property/post", `{"id":"1","version":"1.0","params":{"wendu":{"value":1}}}`)
		if d := time.Since(began); d != 0 {
			t.Errorf("first report after %v, want at once", d)
		}
		c.want(tvRoot+"property/post", `{"id":"2","version":"1.0","params":{"wendu":{"value":3}}}`)
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("third reading after %v, want 10s", d)
		}
		c.conn.Close()
		c.accept()
		c.subscribed()
		c.want(tvRoot+"property/post", `{"id":"3","version":"1.0","params":{"wendu":{"value":4}}}`)
	})
}

func TestReplyThatDoesNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		d := c.start(Options{Identity: tv}, nil)
		c.accept()
		c.subscribed()
		done := make(chan error, 1)
		go func() { done <- d.Report(t.Context(), Values{"wendu": 1}) }()
		c.want(tvRoot+"property/post", `{"id":"1","version":"1.0","params":{"wendu":{"value":1}}}`)
		before := time.Now()
		if err := <-done; !errors.Is(err, ErrNoReply) {
			t.Errorf("Report = %v, want ErrNoReply", err)
		}
		if d := time.Since(before); d != DefaultReplyTimeout {
			t.Errorf("waited %v, want %v", d, DefaultReplyTimeout)
		}
	})
}

func TestValueThatJSONCannotSayIsAnError(t *testing.T) {
	for _, id := range []Identity{lamp, tv} {
		d, err := New(Options{Identity: id})
		if err != nil {
			t.Fatal(err)
		}
		for _, do := range []func(Values) error{
			func(v Values) error { return d.Report(t.Context(), v) },
			func(v Values) error { return d.Event(t.Context(), "e", v, time.Time{}) },
		} {
			if err := do(Values{"t": math.NaN()}); err == nil || !strings.Contains(err.Error(), "t: ") {
				t.Errorf("%T: %v, want an error that names t", id, err)
			}
		}
	}
}

func TestIncompleteIdentityIsRefused(t *testing.T) {
	for _, id := range []Identity{nil, Aliyun{ProductKey: "pk"}, OneNET{ProductID: "p"},
		Aliyun{ProductKey: "pk", DeviceName: "dn", DeviceSecret: "ds", Method: "crc32"}, Aliyun{ProductKey: "pk", DeviceName: "dn", Password: "p"},
		OneNET{ProductID: "p", DeviceName: "d", Key: tv.Key, Method: "crc32"}, OneNET{ProductID: "p", DeviceName: "d", Key: "not base64"},
		MQTT{Product: "p"}, MQTT{Product: "p", DeviceName: "d", Root: "a/#"}} {
		if _, err := New(Options{Identity: id}); err == nil {
			t.Errorf("New(%#v) succeeded", id)
		}
	}
}

func TestParams(t *testing.T) {
	p := Params{
		"true": thing.BoolValue(true), "one": thing.IntValue(1), "quoted": thing.TextValue("0"),
		"two": thing.IntValue(2), "half": thing.FloatValue(0.5), "whole": thing.FloatValue(3), "text": thing.TextValue("x"),
	}
	for id, want := range map[string][2]bool{"true": {true, true}, "one": {true, true}, "quoted": {false, true}, "two": {}, "text": {}, "none": {}} {
		if on, ok := p.Bool(id); ok != want[1] || ok && on != want[0] {
			t.Errorf("Bool(%q) = %v, %v, want %v", id, on, ok, want)
		}
	}
	if f, ok := p.Float("half"); f != 0.5 || !ok {
		t.Errorf("Float(half) = %v, %v", f, ok)
	}
	if f, ok := p.Float("two"); f != 2 || !ok {
		t.Errorf("Float(two) = %v, %v", f, ok)
	}
	if n, ok := p.Int("whole"); n != 3 || !ok {
		t.Errorf("Int(whole) = %v, %v", n, ok)
	}
	if _, ok := p.Int("half"); ok {
		t.Error("Int(half) is a whole number")
	}
	if s, ok := p.Text("text"); s != "x" || !ok {
		t.Errorf("Text(text) = %q, %v", s, ok)
	}
	if _, ok := p.Text("two"); ok {
		t.Error("Text(two) is a text")
	}
}

func TestNoiseFromTheCloudIsIgnored(t *testing.T) {
	for _, s := range []Speech{mustSpeech(t, lamp), mustSpeech(t, tv), mustSpeech(t, pump)} {
		for _, m := range [][2]string{
			{"/sys/other/device/thing/service/property/set", `{"id":"1","params":{}}`},
			{lampRoot + "thing/service/property/set", `not JSON`},
			{lampRoot + "thing/service/property/set", `{"id":"1","params":[1]}`},
			{lampRoot + "thing/service/property/get", `{"id":"1","params":{}}`},
			{lampRoot + "thing/service/Blink_reply", `{"id":"1","code":200}`},
			{lampRoot + "ota/inform", `{}`},
			{tvRoot + "property/set", ``},
			{tvRoot + "property/get", `{"id":"1","params":["a"]}`},
			{tvRoot + "service/invoke", `{"id":"1","params":{}}`},
			{"farm/pump1/set", `[]`},
			{"farm/pump1/set", `{"id":"1","values":[1]}`},
			{"farm/pump1/set/reply", `{"id":"1","code":200}`},
			{"farm/pump1/services/x/reply", `{"id":"1","code":200}`},
			{"farm/pump1/services/", `{"id":"1"}`},
			{"farm/pump2/set", `{"id":"1","values":{}}`},
		} {
			if h, ok := s.Hear(m[0], []byte(m[1])); ok {
				t.Errorf("%T made %+v of %s %s", s, h, m[0], m[1])
			}
		}
	}
}

func mustSpeech(t *testing.T, id Identity) Speech {
	t.Helper()
	s, err := id.Speech(false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func FuzzHear(f *testing.F) {
	f.Add(byte(0), "thing/service/property/set", `{"id":"1","params":{"a":1}}`)
	f.Add(byte(0), "thing/event/property/post_reply", `{"id":1,"code":200,"data":{"a":"b"}}`)
	f.Add(byte(0), "thing/property/desired/get_reply", `{"id":1,"code":200,"data":{"a":{"value":1,"version":2}}}`)
	f.Add(byte(1), "service/x/invoke", `{"id":"1","params":{"a":{"b":[1e400]}}}`)
	f.Add(byte(2), "services/x", `{"id":"1","input":{"a":{"b":[1e4]}}}`)
	f.Fuzz(func(t *testing.T, vendor byte, topic, payload string) {
		identities, roots := []Identity{lamp, tv, pump}, []string{lampRoot, tvRoot, "farm/pump1/"}
		s, root := mustSpeech(t, identities[vendor%3]), roots[vendor%3]
		h, ok := s.Hear(root+topic, []byte(payload))
		if !ok {
			return
		}
		if h.Kind == Reply {
			readDesired(h.Data)
			return
		}
		m, err := s.Answer(h, Values{"ok": true}, nil)
		if err != nil {
			t.Fatalf("%s %q: no answer: %v", topic, payload, err)
		}
		if _, id, ok := open(m.Payload); !ok || id != h.ID {
			t.Errorf("answer %s does not carry id %q", m.Payload, h.ID)
		}
	})
}
