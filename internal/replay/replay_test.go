package replay

import (
	"context"
	"encoding/hex"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/recording"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/onenet"
)

// A broker answers packets by a table: what came in hex, what to say; "close"
// ends the connection. It keeps what it heard.
type broker struct {
	conn   net.Conn
	says   map[string]string
	heard  []string
	closed chan struct{}
}

func (b *broker) serve() {
	defer close(b.closed)
	c := recording.Cutter{Limit: 1 << 20}
	buf := make([]byte, 4096)
	for {
		n, err := b.conn.Read(buf)
		if err != nil {
			return
		}
		over := false
		c.Push(buf[:n], func(p recording.Packet) {
			h := hex.EncodeToString(p.Bytes)
			b.heard = append(b.heard, h)
			for _, s := range strings.Fields(b.says[h]) {
				if s == "close" {
					over = true
					b.conn.Close()
				} else if raw, err := hex.DecodeString(s); err == nil {
					b.conn.Write(raw)
				}
			}
		})
		if over {
			return
		}
	}
}

// rec is a recording: > device, < broker, @ a pause before.
func rec(t *testing.T, lines ...string) *recording.Recording {
	t.Helper()
	r := &recording.Recording{Timed: true}
	at := time.Duration(0)
	for _, l := range lines {
		if pause, ok := strings.CutPrefix(l, "@"); ok {
			d, err := time.ParseDuration(pause)
			if err != nil {
				t.Fatal(err)
			}
			at += d
			continue
		}
		from := recording.Device
		if l[0] == '<' {
			from = recording.Broker
		}
		b, err := hex.DecodeString(strings.TrimSpace(l[1:]))
		if err != nil {
			t.Fatal(err)
		}
		r.Events = append(r.Events, recording.Event{At: at, From: from, Data: b})
	}
	return r
}

// play plays a recording against a broker and writes the steps as words.
func play(t *testing.T, r *recording.Recording, says map[string]string, o Options) (*Result, []string, []string, error) {
	t.Helper()
	here, there := net.Pipe()
	b := &broker{conn: there, says: says, closed: make(chan struct{})}
	go b.serve()
	var steps []string
	o.On = func(s Step) {
		w := string(s.Kind)
		if len(s.Bytes) > 0 {
			w += " " + hex.EncodeToString(s.Bytes)
		}
		if len(s.Differs) > 0 {
			w += ": " + strings.Join(s.Differs, "; ")
		}
		if s.Kind == Missing {
			w += " " + hex.EncodeToString(s.Recorded)
		}
		steps = append(steps, w)
	}
	res, err := Play(context.Background(), here, r, o)
	<-b.closed
	return res, steps, b.heard, err
}

const (
	connect = "101000044d5154540402003c000474657374"
	ping    = "c000"
	bye     = "e000"
	sub     = "820600070001740" + "0"
)

func TestPlay(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rec   []string
		says  map[string]string
		steps string
		check func(t *testing.T, r *Result)
	}{
		{
			"as recorded", []string{">" + connect, "<20020000", ">" + ping, "<d000", ">" + bye},
			map[string]string{connect: "20020000", ping: "d000"},
			"sent " + connect + ", received 20020000, sent c000, received d000, sent e000",
			func(t *testing.T, r *Result) {
				if r.Sent != 3 || r.Received != 2 || r.Differences != 0 || r.Refused != nil || r.Left != 0 {
					t.Errorf("%+v", r)
				}
			},
		},
		{
			"refused this time", []string{">" + connect, "<20020000", ">" + ping, "<d000"},
			map[string]string{connect: "20020004 close"},
			"sent " + connect + ", received 20020004: return code was 0, is 4 (" + mqtt.BadUserNameOrPassword.Error() + "), closed, missing d000",
			func(t *testing.T, r *Result) {
				if r.Refused == nil || r.Refused.Reason != mqtt.BadUserNameOrPassword || !r.Dropped || r.Left != 1 || r.Differences != 2 || r.Connect.ClientID != "test" {
					t.Errorf("%+v", r)
				}
			},
		},
		{
			"without recorded answers nothing differs", []string{">" + connect, ">" + sub},
			map[string]string{connect: "20020000", sub: "9003000780"},
			"sent " + connect + ", received 20020000, sent " + sub + ", received 9003000780",
			func(t *testing.T, r *Result) {
				if r.Differences != 0 {
					t.Errorf("%+v", r)
				}
			},
		},
		{
			"a subscription is granted less", []string{">" + connect, "<20020000", ">" + sub, "<9003000701"},
			map[string]string{connect: "20020000", sub: "9003000700"},
			"sent " + connect + ", received 20020000, sent " + sub + ", received 9003000700: granted of topic 1 was 1, is 0",
			nil,
		},
		{
			"messages are acknowledged with the identifiers that come now",
			[]string{">" + connect, "<20020000", "<3206000174002a61", "@1s", ">4002002a", ">" + ping, "<d000"},
			map[string]string{connect: "20020000 3206000174000562", ping: "d000"},
			"sent " + connect + `, received 20020000, received 3206000174000562: payload was "a", is "b", answered 40020005, skipped 4002002a, sent c000, received d000`,
			nil,
		},
		{
			"QoS 2 from the broker", []string{">" + connect},
			map[string]string{connect: "20020000 3406000174000562", "50020005": "62020005"},
			"sent " + connect + ", received 20020000, received 3406000174000562, answered 50020005, received 62020005, answered 70020005",
			nil,
		},
		{
			"QoS 2 from the device", []string{">" + connect, ">3406000174000661", ">62020006"},
			map[string]string{connect: "20020000", "3406000174000661": "50020006", "62020006": "70020006"},
			"sent " + connect + ", received 20020000, sent 3406000174000661, received 50020006, sent 62020006, received 70020006",
			nil,
		},
		{
			"broken bytes are sent as they are", []string{">74000441", "@1s", ">c000"},
			map[string]string{"74000441": "close"},
			"sent 74000441, closed",
			func(t *testing.T, r *Result) {
				if r.Left != 1 {
					t.Errorf("%+v", r)
				}
			},
		},
		{
			"a DISCONNECT in between, as articles list packets", []string{">" + connect, ">" + bye, ">" + ping, ">" + bye},
			map[string]string{connect: "20020000", ping: "d000", bye: "close"},
			"sent " + connect + ", received 20020000, skipped e000, sent c000, received d000, sent e000, closed",
			func(t *testing.T, r *Result) {
				if r.Left != 0 || r.Dropped {
					t.Errorf("%+v", r)
				}
			},
		},
		{
			"no answer to a PINGREQ", []string{">" + connect, ">" + ping, ">" + bye},
			map[string]string{connect: "20020000"},
			"sent " + connect + ", received 20020000, sent c000, silent, sent e000",
			nil,
		},
		{
			"a second CONNECT stays at home", []string{">" + connect, ">" + connect},
			map[string]string{connect: "20020000"},
			"sent " + connect + ", received 20020000, skipped " + connect,
			nil,
		},
		{
			"JSON is compared by its members",
			[]string{">" + connect, "<20020000", "<30" + publish(`{"id":"1","code":200,"data":{},"list":[1,2]}`)},
			map[string]string{connect: "20020000 30" + publish(`{"id":"1","code":6207,"message":"x","data":{},"list":[1,3]}`)},
			"sent " + connect + ", received 20020000, received 30" + publish(`{"id":"1","code":6207,"message":"x","data":{},"list":[1,3]}`) +
				`: code was 200, is 6207; list[1] was 2, is 3; message was not there, is "x"`,
			nil,
		},
		{
			"what was not recorded is no difference", []string{">" + connect, "<20020000"},
			map[string]string{connect: "20020000"},
			"sent " + connect + ", received 20020000",
			nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, steps, _, err := play(t, rec(t, tt.rec...), tt.says, Options{Speed: 1})
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(steps, ", "); got != tt.steps {
					t.Errorf("\n got %s\nwant %s", got, tt.steps)
				}
				if tt.check != nil {
					tt.check(t, r)
				}
			})
		})
	}
}

// publish is the rest of a PUBLISH on t behind its first byte, in hex.
func publish(payload string) string {
	b, _ := (&packet.Publish{Topic: []byte("t"), Payload: []byte(payload)}).Append(nil, mqtt.V311)
	return hex.EncodeToString(b[1:])
}

func TestPausesAreKeptOrScaled(t *testing.T) {
	for _, tt := range []struct {
		speed float64
		want  time.Duration
	}{{0, 0}, {1, 30 * time.Second}, {10, 3 * time.Second}, {0.5, time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var pinged time.Duration
			here, there := net.Pipe()
			b := &broker{conn: there, says: map[string]string{connect: "20020000", ping: "d000"}, closed: make(chan struct{})}
			go b.serve()
			_, err := Play(t.Context(), here, rec(t, ">"+connect, "<20020000", "@30s", ">"+ping, "<d000"), Options{Speed: tt.speed, On: func(s Step) {
				if s.Kind == Sent && s.Bytes[0] == 0xc0 {
					pinged = time.Since(began)
				}
			}})
			<-b.closed
			if err != nil || pinged != tt.want {
				t.Errorf("speed %v: the PINGREQ after %v, %v", tt.speed, pinged, err)
			}
		})
	}
}

func TestPlayEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		here, there := net.Pipe()
		b := &broker{conn: there, says: map[string]string{connect: "20020000"}, closed: make(chan struct{})}
		go b.serve()
		_, err := Play(ctx, here, rec(t, ">"+connect, "@1h", ">"+ping), Options{Speed: 1})
		<-b.closed
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestNoBrokerNoRecording(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, steps, _, err := play(t, rec(t, ">"+connect, ">"+ping), nil, Options{})
		if err == nil || !strings.Contains(err.Error(), "no CONNACK within 5s") || len(steps) != 2 {
			t.Errorf("%v: %v", steps, err)
		}
		if _, _, _, err := play(t, rec(t, "<20020000"), nil, Options{}); !errors.Is(err, ErrNothing) {
			t.Errorf("%v", err)
		}
	})
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func signer(key string, as Identity) *Signer {
	return &Signer{Key: func(Identity) (string, error) { return key, nil }, As: as, Now: now}
}

func TestAliyunIsSignedAgain(t *testing.T) {
	const secret = "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"
	for _, tt := range []struct {
		name, id, want string
		as             Identity
		tls            bool
	}{
		{"seed 000", "k19g7hBjoOD.testdevice1|securemode=2,signmethod=hmacsha256,timestamp=1729065411543|",
			"k19g7hBjoOD.testdevice1|securemode=3,signmethod=hmacsha256,timestamp=1772366400000|", Identity{}, false},
		{"over TLS", "12345|securemode=3,signmethod=hmacsha1,timestamp=789|",
			"12345|securemode=2,signmethod=hmacsha1,timestamp=1772366400000|", Identity{}, true},
		{"no method named", "12345|securemode=3|", "12345|securemode=3,signmethod=hmacmd5,timestamp=1772366400000|", Identity{}, false},
		{"more parameters", "x|lan=C,_v=sdk-c-3.1.6,securemode=3,signmethod=hmacsha1,ext=1|",
			"x|lan=C,_v=sdk-c-3.1.6,securemode=3,signmethod=hmacsha1,ext=1,timestamp=1772366400000|", Identity{}, false},
		{"another device", "k19g7hBjoOD.testdevice1|securemode=3,signmethod=hmacsha256|",
			"a1NightLamp.lamp01|securemode=3,signmethod=hmacsha256,timestamp=1772366400000|", Identity{Product: "a1NightLamp", Device: "lamp01"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &packet.Connect{Version: mqtt.V311, CleanStart: true, KeepAlive: 100, ClientID: tt.id, HasUsername: true, Username: "testdevice1&k19g7hBjoOD",
				HasPassword: true, Password: []byte("7b2e"), Will: &packet.Will{Topic: "/k19g7hBjoOD/testdevice1/user/will"}}
			s := signer(secret, tt.as)
			s.TLS = tt.tls
			if changed, err := s.Rewrite(c); !changed || err != nil {
				t.Fatal(err)
			}
			if c.ClientID != tt.want || c.KeepAlive != 100 {
				t.Errorf("%+v", c)
			}
			sent := aliyun.Sent{ClientID: c.ClientID, Username: c.Username, Password: c.Password, KeepAlive: 100, TLS: tt.tls, Version: mqtt.V311}
			if d := aliyun.Diagnose(sent, aliyun.Known{DeviceSecret: secret}); d != nil {
				t.Errorf("%s", d.Sentence)
			}
			p := &packet.Publish{Topic: []byte("/sys/k19g7hBjoOD/testdevice1/thing/event/property/post")}
			changed, err := s.Rewrite(p)
			want := "/sys/k19g7hBjoOD/testdevice1/thing/event/property/post"
			if tt.as.Device != "" {
				want = "/sys/a1NightLamp/lamp01/thing/event/property/post"
				if c.Will.Topic != "/a1NightLamp/lamp01/user/will" {
					t.Errorf("will %s", c.Will.Topic)
				}
			}
			if err != nil || changed != (tt.as.Device != "") || string(p.Topic) != want {
				t.Errorf("%s, %v", p.Topic, err)
			}
		})
	}
}

func TestOneNETIsSignedAgain(t *testing.T) {
	const key = "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw="
	for _, tt := range []struct {
		as   Identity
		sign string
	}{{Identity{}, "y4iDPu6Yp84FO7sxpcF5Qg%3D%3D"}, {Identity{Product: "p2", Device: "d2"}, "y4iDPu6Yp84FO7sxpcF5Qg%3D%3D"}, {Identity{}, "****************************"}} {
		as := tt.as
		c := &packet.Connect{Version: mqtt.V311, CleanStart: true, KeepAlive: 60, ClientID: "my_tv", HasUsername: true, Username: "VRqhDHF2wL", HasPassword: true,
			Password: []byte("version=2018-10-31&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1661245031&method=md5&sign=" + tt.sign)}
		s := signer(key, as)
		if changed, err := s.Rewrite(c); !changed || err != nil {
			t.Fatal(err)
		}
		want := Identity{OneNET, "VRqhDHF2wL", "my_tv"}
		if as.Device != "" {
			want.Product, want.Device = as.Product, as.Device
		}
		if IdentityOf(c) != want || c.ClientID != want.Device || c.Username != want.Product {
			t.Errorf("%+v", c)
		}
		sent := onenet.Sent{ClientID: c.ClientID, Username: c.Username, Password: c.Password, KeepAlive: 60, CleanSession: true, Version: mqtt.V311}
		if _, ok := onenet.Verify(sent, onenet.Keys{Device: key}, now); !ok || !strings.Contains(string(c.Password), "method=md5") {
			t.Errorf("%s", c.Password)
		}
		sub := &packet.Subscribe{Subscriptions: []packet.Subscription{{Filter: "$sys/VRqhDHF2wL/my_tv/#"}, {Filter: "x"}}}
		if _, err := s.Rewrite(sub); err != nil || sub.Subscriptions[0].Filter != "$sys/"+want.Product+"/"+want.Device+"/#" || sub.Subscriptions[1].Filter != "x" {
			t.Errorf("%+v, %v", sub, err)
		}
	}
}

func TestPlainPasswordAndNoSecret(t *testing.T) {
	c := &packet.Connect{Version: mqtt.V5, ClientID: "p.d", HasUsername: true, Username: "p/d", HasPassword: true, Password: []byte("old")}
	if _, err := signer("new", Identity{Product: "q", Device: "e"}).Rewrite(c); err != nil || c.Username != "q/e" || string(c.Password) != "new" || c.ClientID != "q.e" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := signer("", Identity{}).Rewrite(c); err == nil || !strings.Contains(err.Error(), "no secret") {
		t.Errorf("%v", err)
	}
	o := &packet.Connect{HasPassword: true, Password: []byte("version=2018-10-31&res=products%2Fp%2Fdevices%2Fd&et=1&method=md5&sign=YQ%3D%3D"), Username: "p"}
	if _, err := signer("no base64!", Identity{}).Rewrite(o); !errors.Is(err, onenet.ErrKey) {
		t.Errorf("%v", err)
	}
}

func TestLengthsAreComputedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "d|securemode=3,signmethod=hmacsha1|", HasUsername: true, Username: "d&p", HasPassword: true, Password: []byte("x")}
		b, err := c.Append(nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, steps, heard, err := play(t, rec(t, ">"+hex.EncodeToString(b)), nil, Options{Rewrite: signer("s3cret", Identity{}).Rewrite, Wait: time.Second})
		if err == nil || len(heard) != 1 || len(steps) == 0 {
			t.Fatalf("%v %v", heard, err)
		}
		raw, _ := hex.DecodeString(heard[0])
		h, err := packet.ParseHeader(raw)
		if err != nil || h.Size+h.Remaining != len(raw) || len(raw) <= len(b)+40 {
			t.Errorf("%x: %v", raw, err)
		}
	})
}
