package probe_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/at/transcript"
	"github.com/matou-iot/matou/modem/modemtest"
	"github.com/matou-iot/matou/modem/probe"
	"github.com/matou-iot/matou/modem/virtual"
	"github.com/matou-iot/matou/modem/virtual/virtualtest"
)

// A wire is a line whose bytes are noise where its ends disagree on the speed;
// without a speed of the module it has none.
type wire struct {
	net.Conn
	module int
	host   atomic.Int64
	typed  bytes.Buffer // by the host
}

func (w *wire) setBaud(n int) error { w.host.Store(int64(n)); return nil }

func (w *wire) garble(p []byte) []byte {
	if w.module == 0 || int(w.host.Load()) == w.module {
		return p
	}
	out := make([]byte, len(p))
	for i := range p {
		out[i] = p[i]*31 | 0x80
	}
	return out
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	copy(p, w.garble(p[:n]))
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	w.typed.Write(p)
	return w.Conn.Write(w.garble(p))
}

var home = []virtual.AccessPoint{{SSID: `ho"me`, Password: "12345678"}}

// started is how long a virtual module is given to start and find its network.
const started = 20 * time.Second

// onVirtual looks at a virtual module after what its user typed.
func onVirtual(t *testing.T, o virtual.Options, module int, rates []int, typed ...string) (r *probe.Report, w *wire) {
	t.Helper()
	o.Network, o.Baud = &modemtest.World{}, 115200
	o.Now = func() time.Time { return time.Now().AddDate(30, 0, 0) } // a bubble's time begins in 2000
	_, port := virtualtest.Power(t, o)
	w = &wire{Conn: port}
	drain(port, started)
	for _, line := range typed {
		conversation(t, port, line)
	}
	w.module = module
	r, err := probe.Run(t.Context(), keepOpen{w}, probe.Options{Rates: rates, SetBaud: w.setBaud})
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// keepOpen lets the test go on with a port after the look: its Close only ends
// what reads.
type keepOpen struct{ *wire }

func (k keepOpen) Close() error { return k.SetReadDeadline(time.Unix(1, 0)) }

// drain reads what the module says in the next so long.
func drain(port net.Conn, long time.Duration) string {
	var all []byte
	b := make([]byte, 1024)
	port.SetReadDeadline(time.Now().Add(long))
	for {
		n, err := port.Read(b)
		all = append(all, b[:n]...)
		if err != nil {
			port.SetReadDeadline(time.Time{})
			return string(all)
		}
	}
}

func conversation(t *testing.T, port net.Conn, line string) string {
	t.Helper()
	if _, err := io.WriteString(port, line+"\r\n"); err != nil {
		t.Fatal(err)
	}
	return drain(port, started)
}

func codes(r *probe.Report) string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, f.Code)
	}
	return strings.Join(list, " ")
}

func TestVirtualModules(t *testing.T) {
	for _, tt := range []struct {
		name    string
		o       virtual.Options
		typed   []string
		codes   string
		healthy bool
		check   func(t *testing.T, r *probe.Report)
	}{
		{"EC20", virtual.Options{Model: "ec20"}, nil, "", true, func(t *testing.T, r *probe.Report) {
			want := probe.Module{Family: probe.Quectel, Maker: "Quectel", Model: "EC20F", Firmware: "EC20CEFAGR06A05M4G", Serial: "861111111111111"}
			if *r.Module != want {
				t.Errorf("module %+v", *r.Module)
			}
			n := r.Network
			if n == nil || n.Registration != "home" || n.Operator != "CHINA MOBILE" || n.Technology != "LTE" || n.APN != "CMNET" || n.Attached == nil || !*n.Attached {
				t.Errorf("network %+v", n)
			}
			if r.SIM != "READY" || r.IP != "10.20.30.40" || *r.Signal != (probe.Signal{DBm: -59, Judgement: "excellent"}) {
				t.Errorf("sim %s, ip %s, signal %+v", r.SIM, r.IP, r.Signal)
			}
			if at, err := time.Parse(time.RFC3339, r.Time); err != nil || time.Until(at.AddDate(-30, 0, 0)).Abs() > time.Minute {
				t.Errorf("time %q, %v", r.Time, err)
			}
			if *r.MQTT != (probe.MQTT{Commands: "AT+QMT…", Aliyun: true}) || !*r.TLS {
				t.Errorf("mqtt %+v, tls %v", *r.MQTT, *r.TLS)
			}
			if !*r.Echo {
				t.Error("no echo")
			}
		}},
		{"EC20 with its echo off", virtual.Options{Model: "ec20"}, []string{"ATE0"}, "", true, func(t *testing.T, r *probe.Report) {
			if *r.Echo {
				t.Error("echo")
			}
		}},
		{"EC20 without SIM card", virtual.Options{Model: "ec20", Faults: faults("sim-missing")}, nil, "sim-missing time-not-set", false, func(t *testing.T, r *probe.Report) {
			if r.SIM != "missing" {
				t.Errorf("sim %q", r.SIM)
			}
		}},
		{"EC20 without SIM card, that says only ERROR", virtual.Options{Model: "ec20", Faults: faults("sim-missing")}, []string{"AT+CMEE=0"}, "sim-not-ready time-not-set", false, nil},
		{"EC20 that is denied", virtual.Options{Model: "ec20", Faults: faults("registration-denied")}, nil, "registration-denied time-not-set", false, nil},
		{"EC20 without signal", virtual.Options{Model: "ec20", Faults: faults("no-signal")}, nil, "no-signal time-not-set", false, func(t *testing.T, r *probe.Report) {
			if r.Signal.Judgement != "none" || r.Signal.DBm != 0 {
				t.Errorf("signal %+v", r.Signal)
			}
		}},
		{"EC20 abroad", virtual.Options{Model: "ec20", Faults: faults("roaming")}, nil, "roaming", true, nil},
		{"EC20 in a cellar", virtual.Options{Model: "ec20", Faults: []virtual.Fault{{Name: "weak-signal", Value: "3"}}}, nil, "weak-signal", true, func(t *testing.T, r *probe.Report) {
			if *r.Signal != (probe.Signal{DBm: -107, Judgement: "weak"}) || !strings.Contains(r.Findings[0].SentenceZH, "-107 dBm") {
				t.Errorf("signal %+v, %+v", r.Signal, r.Findings)
			}
		}},
		{"EC20 with its radio off", virtual.Options{Model: "ec20"}, []string{"AT+CFUN=4"}, "radio-off", false, nil},
		{"EC20 that answers with numbers", virtual.Options{Model: "ec20"}, []string{"ATV0"}, "numeric-results", false, nil},
		{"EC20 that says no results", virtual.Options{Model: "ec20"}, []string{"ATQ1"}, "no-results", false, nil},
		{"EC20 at a prompt", virtual.Options{Model: "ec20"}, []string{`AT+QFUPL="a",10000,60`}, "no-answer", false, nil},
		{"NT35E", virtual.Options{Model: "nt35e"}, nil, "", true, func(t *testing.T, r *probe.Report) {
			want := probe.Module{Family: probe.Lierda, Maker: "Lierda", Model: "NT35E", Firmware: "NT35E", Serial: "861111111111111"}
			if *r.Module != want || *r.MQTT != (probe.MQTT{Commands: "AT+LMQTT…", Aliyun: true}) || r.TLS != nil || r.IP != "10.20.30.40" {
				t.Errorf("%+v, %+v, %v, %s", *r.Module, *r.MQTT, r.TLS, r.IP)
			}
		}},
		{"ESP8266 that joined", virtual.Options{Model: "esp8266", AccessPoints: home}, []string{"AT+CWMODE=1", `AT+CWJAP="ho\"me","12345678"`}, "", true, func(t *testing.T, r *probe.Report) {
			want := probe.Module{Family: probe.ESP8266AT, Maker: "Espressif", Model: "ESP8266", Firmware: "1.7.4.0", Serial: "5c:cf:7f:01:02:03"}
			if *r.Module != want {
				t.Errorf("module %+v", *r.Module)
			}
			if w := r.WiFi; !w.Joined || w.SSID != `ho"me` || w.Mode != "station" || w.Channel == 0 || w.BSSID == "" {
				t.Errorf("wifi %+v", *w)
			}
			if r.IP != "192.168.1.23" || r.Signal == nil || r.Signal.DBm >= 0 || r.MQTT.Commands != "" || !*r.TLS {
				t.Errorf("ip %s, signal %+v, mqtt %+v, tls %v", r.IP, r.Signal, r.MQTT, *r.TLS)
			}
		}},
		{"ESP8266 from the factory", virtual.Options{Model: "esp8266"}, nil, "access-point-only", true, nil},
		{"ESP8266 that joined nothing", virtual.Options{Model: "esp8266"}, []string{"AT+CWMODE=1"}, "wifi-not-joined", true, nil},
		{"ESP8266 without address", virtual.Options{Model: "esp8266", Faults: faults("dhcp-timeout")}, []string{"AT+CWMODE=1", `AT+CWJAP="x","12345678"`}, "wifi-not-joined", true, nil},
		{"ESP8266 of old, without echo", virtual.Options{Model: "esp8266", Firmware: "1.3"}, []string{"ATE0"}, "access-point-only", true, func(t *testing.T, r *probe.Report) {
			if *r.Echo || r.Module.Firmware != "1.3.0.0" {
				t.Errorf("echo %v, %+v", *r.Echo, *r.Module)
			}
		}},
		{"ESP-AT", virtual.Options{Model: "esp8266", Firmware: "2", AccessPoints: home}, []string{`AT+CWJAP="ho\"me","12345678"`}, "", true, func(t *testing.T, r *probe.Report) {
			if r.Module.Family != probe.ESPAT || r.MQTT.Commands != "AT+MQTT…" || r.MQTT.Aliyun || !*r.TLS || !*r.Echo || r.WiFi.SSID != `ho"me` {
				t.Errorf("%+v, %+v, %+v", *r.Module, *r.MQTT, *r.WiFi)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, w := onVirtual(t, tt.o, 0, nil, tt.typed...)
				if codes(r) != tt.codes || r.Healthy() != tt.healthy {
					t.Errorf("found %q, healthy %v; want %q, %v\n%+v", codes(r), r.Healthy(), tt.codes, tt.healthy, r.Findings)
				}
				if tt.check != nil {
					tt.check(t, r)
				}
				onlyAsked(t, w.typed.String())
			})
		})
	}
}

func faults(name string) []virtual.Fault { return []virtual.Fault{{Name: name}} }

// onlyAsked wants no command that could change anything.
func onlyAsked(t *testing.T, typed string) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSuffix(typed, "\r\n"), "\r\n") {
		c, err := at.V250.Parse([]byte(line))
		harmless := []string{"", "I", "+GMR", "+CGMI", "+CGMM", "+CGMR", "+CGSN", "+CSQ", "+CGPADDR", "+CIFSR"}
		switch {
		case err != nil:
			t.Errorf("typed %q: %v", line, err)
		case c.Form == at.Query || c.Form == at.Test || line == "AT+CGSN=1":
		case c.Form != at.Execute || !slices.Contains(harmless, c.Name):
			t.Errorf("typed %q, which may change something", line)
		}
	}
}

// The module is as it was: what was typed before the look still holds after.
func TestNothingIsChanged(t *testing.T) {
	for model, asks := range map[string][]string{
		"ec20":    {"AT&V", "AT+CMEE?", "AT+QIACT?", "AT+CREG?", `AT+QMTCFG="keepalive",0`},
		"esp8266": {"AT+CWMODE?", "AT+CIPMUX?", "AT+CIPDINFO?", "AT+CWJAP?", "AT+CIPSTATUS"},
	} {
		t.Run(model, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before := []string{"ATE1", "AT+CMEE=2", "AT+CREG=2", `AT+QMTCFG="keepalive",0,77`, "AT+CWMODE=3", "AT+CIPMUX=1", "AT+CIPDINFO=1"}
				want := ""
				_, port := virtualtest.Power(t, virtual.Options{Model: model, Network: &modemtest.World{}, Baud: 115200})
				drain(port, started)
				for _, line := range before {
					conversation(t, port, line)
				}
				for _, line := range asks {
					want += conversation(t, port, line)
				}
				r, err := probe.Run(t.Context(), keepOpen{&wire{Conn: port}}, probe.Options{})
				if err != nil || !r.Answers {
					t.Fatal(r, err)
				}
				port.SetReadDeadline(time.Time{})
				got := ""
				for _, line := range asks {
					got += conversation(t, port, line)
				}
				if got != want {
					t.Errorf("before the look:\n%s\nafter it:\n%s", want, got)
				}
			})
		})
	}
}

func TestEveryRateIsFound(t *testing.T) {
	for _, baud := range probe.Rates {
		synctest.Test(t, func(t *testing.T) {
			for _, o := range []virtual.Options{{Model: "ec20"}, {Model: "esp8266"}} {
				r, _ := onVirtual(t, o, baud, probe.Rates)
				if !r.Answers || r.Baud != baud || r.Module == nil || r.Module.Maker == "" {
					t.Errorf("%s at %d baud: %+v", o.Model, baud, r)
				}
			}
		})
	}
}

// What is at a speed that is not tried looks like noise.
func TestAnUnusualRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if r, _ := onVirtual(t, virtual.Options{Model: "ec20"}, 250000, probe.Rates); codes(r) != "noise" || r.Answers || r.Healthy() {
			t.Errorf("found %q", codes(r))
		}
	})
}

// What else than a module may be at the other end.
func TestNoModule(t *testing.T) {
	repeat := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			b := make([]byte, 100)
			for {
				if _, err := c.Read(b); err != nil {
					return
				}
				io.WriteString(c, text)
			}
		}
	}
	mute := func(c net.Conn) { io.Copy(io.Discard, c) }
	for _, tt := range []struct {
		name  string
		rates []int
		other func(net.Conn)
		code  string
	}{
		{"nobody", probe.Rates, mute, "no-answer"},
		{"nobody over TCP", nil, mute, "no-answer"},
		{"a wire from TX to RX", probe.Rates, modemtest.Echo, "loop"},
		{"a wire from TX to RX over TCP", nil, modemtest.Echo, "no-results"},
		{"numbers", nil, repeat("AT\r0\r"), "numeric-results"},
		{"numbers without echo", nil, repeat("4\r"), "numeric-results"},
		{"busy", nil, repeat("busy p...\r\n"), "busy"},
		{"a prompt", nil, repeat("\r\n> "), "waits-for-data"},
		{"download mode", probe.Rates, repeat(" ets Jan  8 2013,rst cause:2, boot mode:(1,6)\r\n"), "download-mode"},
		{"a damaged flash", probe.Rates, repeat(" ets Jan  8 2013,rst cause:2, boot mode:(3,6)\r\ncsum err\r\n"), "damaged-firmware"},
		{"other firmware", probe.Rates, repeat(" ets Jan  8 2013,rst cause:2, boot mode:(3,6)\r\nhello\r\n"), "restarting"},
		{"noise over TCP", nil, repeat("\xfe\x00\xf8"), "noise"},
		{"something", nil, repeat("\r\nOK\r\n"), "unknown-module"},
		{"a port that vanishes", nil, func(c net.Conn) { c.Read(make([]byte, 1)); c.Close() }, "port-gone"},
		{"a port that vanishes later", nil, func(c net.Conn) {
			for range 3 {
				c.Read(make([]byte, 100))
				io.WriteString(c, "\r\nOK\r\n")
			}
			c.Close()
		}, "port-gone"},
		{"a module that falls silent", nil, func(c net.Conn) {
			c.Read(make([]byte, 100))
			io.WriteString(c, "\r\nOK\r\n")
			mute(c)
		}, "fell-silent"},
		{"a module that restarts", nil, func(c net.Conn) {
			c.Read(make([]byte, 100))
			io.WriteString(c, "\r\nOK\r\n")
			c.Read(make([]byte, 100))
			io.WriteString(c, "\r\nRDY\r\n")
			mute(c)
		}, "restarted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				go func() {
					defer theirs.Close()
					tt.other(theirs)
				}()
				w := &wire{Conn: ours}
				r, err := probe.Run(t.Context(), w, probe.Options{Rates: tt.rates, SetBaud: w.setBaud})
				if err != nil {
					t.Fatal(err)
				}
				if codes(r) != tt.code {
					t.Errorf("found %q, want %q", codes(r), tt.code)
				}
				for _, f := range r.Findings {
					if f.Sentence == "" || f.SentenceZH == "" || f.Advice == "" || f.AdviceZH == "" || strings.Contains(f.Sentence+f.SentenceZH, "%!") {
						t.Errorf("finding %+v", f)
					}
				}
			})
		})
	}
}

func TestContextEndsTheLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		go io.Copy(io.Discard, theirs)
		ctx, cancel := context.WithCancel(t.Context())
		w := &wire{Conn: ours}
		_, err := probe.Run(ctx, w, probe.Options{Rates: probe.Rates, SetBaud: w.setBaud, Tell: func(baud int) {
			if baud == probe.Rates[2] {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

// A port that cannot do a speed is asked for the next; one that cannot do the
// only speed is an error.
func TestSpeedsThatAPortCannotDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		go io.Copy(io.Discard, theirs)
		odd := errors.New("the port cannot do that speed")
		if _, err := probe.Run(t.Context(), ours, probe.Options{Rates: []int{250000}, SetBaud: func(int) error { return odd }}); !errors.Is(err, odd) {
			t.Errorf("error %v", err)
		}
	})
}

// Whatever comes from the line: a report, and nothing worse.
func FuzzAnything(f *testing.F) {
	for _, file := range []string{"../testdata/ec20/bring-up.at", "../testdata/esp8266/join.at", "../testdata/nt35e/basics.at"} {
		conversation, err := transcript.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, line := range conversation.Lines {
			if b, ok := line.Bytes(); ok && line.Mark == transcript.Module {
				f.Add(b)
			}
		}
	}
	f.Add([]byte("+CCLK: \"25/01/15,14:15:27+32\"\r\nOK\r\n+COPS: 0,0,\"x\",7\r\nOK\r\n+CPIN: SIM PUK\r\nOK\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				b := make([]byte, 100)
				io.WriteString(theirs, "\r\nOK\r\n")
				for {
					if _, err := theirs.Read(b); err != nil {
						return
					}
					if _, err := theirs.Write(append(bytes.Clone(text), "\r\nOK\r\n"...)); err != nil {
						return
					}
				}
			}()
			r, err := probe.Run(t.Context(), ours, probe.Options{})
			if err != nil || r == nil {
				t.Fatal(r, err)
			}
			if r.Healthy() && r.Module == nil {
				t.Errorf("healthy, but what? %+v", r)
			}
		})
	})
}

// dictionary is a module that knows some answers, and ERROR.
func dictionary(answers map[string]string) func(net.Conn) {
	return func(c net.Conn) {
		lines := bufio.NewScanner(c)
		for lines.Scan() {
			answer, known := answers[lines.Text()]
			switch {
			case lines.Text() == "AT":
				answer = "OK"
			case !known:
				answer = "ERROR"
			case !strings.Contains(answer, "ERROR"):
				answer += "\r\n\r\nOK"
			}
			io.WriteString(c, "\r\n"+answer+"\r\n")
		}
	}
}

func TestOtherModules(t *testing.T) {
	simcom := map[string]string{"AT+CGMI": "SIMCOM INCORPORATED", "AT+CGMM": "A7670E", "AT+CGMR": "A7670M7_V1.11", "AT+CMQTTSTART=?": ""}
	with := func(pairs ...string) map[string]string {
		m := maps.Clone(simcom)
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for _, tt := range []struct {
		name    string
		answers map[string]string
		codes   string
		check   func(r *probe.Report) bool
	}{
		{"SIMCom", simcom, "sim-not-ready", func(r *probe.Report) bool {
			return *r.Module == probe.Module{Family: probe.Cellular, Maker: "SIMCOM INCORPORATED", Model: "A7670E", Firmware: "A7670M7_V1.11"} && r.MQTT.Commands == "AT+CMQTT…" && r.Network == nil && r.TLS == nil
		}},
		{"a card that wants its PIN", with("AT+CPIN?", "+CPIN: SIM PIN"), "sim-pin", nil},
		{"a card that wants its PUK", with("AT+CPIN?", "+CPIN: SIM PUK"), "sim-puk", nil},
		{"a card of another network", with("AT+CPIN?", "+CPIN: PH-NET PIN"), "sim-not-ready", nil},
		{"no card, said in words", with("AT+CPIN?", "+CPIN: NOT INSERTED"), "sim-missing", nil},
		{"no card, as an error in words", with("AT+CPIN?", "+CME ERROR: SIM not inserted"), "sim-missing", nil},
		{"not looking", with("AT+CPIN?", "+CPIN: READY", "AT+CREG?", "+CREG: 0,0"), "not-registered", nil},
		{"looking", with("AT+CPIN?", "+CPIN: READY", "AT+CREG?", "+CREG: 0,0", "AT+CEREG?", "+CEREG: 0,2"), "searching", nil},
		{"denied by one, at home in the other", with("AT+CPIN?", "+CPIN: READY", "AT+CGREG?", "+CGREG: 0,3", "AT+CREG?", "+CREG: 0,1"), "", func(r *probe.Report) bool { return r.Network.Registration == "home" }},
		{"not attached", with("AT+CPIN?", "+CPIN: READY", "AT+CREG?", "+CREG: 0,1", "AT+CGATT?", "+CGATT: 0"), "not-attached", nil},
		{"without address", with("AT+CPIN?", "+CPIN: READY", "AT+CREG?", "+CREG: 0,1", "AT+CGATT?", "+CGATT: 1", "AT+CGPADDR", "+CGPADDR: 1,0.0.0.0"), "no-data-connection", nil},
		{"a clock without zone", with("AT+CPIN?", "+CPIN: READY", "AT+CCLK?", `+CCLK: "26/11/21,14:15:16"`), "", func(r *probe.Report) bool { return r.Time == "2026-11-21T14:15:16Z" }},
		{"a clock west of Greenwich", with("AT+CPIN?", "+CPIN: READY", "AT+CCLK?", `+CCLK: "26/11/21,14:15:16-14"`), "", func(r *probe.Report) bool { return r.Time == "2026-11-21T14:15:16-03:30" }},
		{"a clock that was never set", with("AT+CPIN?", "+CPIN: READY", "AT+CCLK?", `+CCLK: "80/01/06,00:10:00+00"`), "time-not-set", nil},
		{"a clock that makes no sense", with("AT+CPIN?", "+CPIN: READY", "AT+CCLK?", `+CCLK: "26/11/21,14:15:16*99"`), "time-not-set", nil},
		{"a signal that is not known", with("AT+CPIN?", "+CPIN: READY", "AT+CSQ", "+CSQ: 99,99"), "no-signal", nil},
		{"an EC600S that signs for OneNET", map[string]string{"AT+CGMI": "Quectel", "ATI": "Quectel\r\nEC600S\r\nRevision: EC600SCNAAR01A01M08", "AT+CPIN?": "+CPIN: READY",
			"AT+QMTCFG=?": "+QMTCFG: \"onenet\",(0-5),\"product id\",\"access key\"\r\n+QMTCFG: \"aliauth\",(0-5)"}, "", func(r *probe.Report) bool {
			return *r.MQTT == probe.MQTT{Commands: "AT+QMT…", Aliyun: true, OneNET: true} && r.Module.Model == "EC600S" && !*r.TLS
		}},
		{"an NT26 of another name", map[string]string{"AT+CGMI": "LD", "AT+CGMM": "NT26-KCN", "AT+CPIN?": "+CPIN: READY", "AT+LMQTTCONN?": ""}, "", func(r *probe.Report) bool {
			return r.Module.Family == probe.Lierda && r.MQTT.Commands == "AT+LMQTT…"
		}},
		{"an ESP32 that got no address", map[string]string{"AT+GMR": "AT version:3.2.0.0(s-ec2dec2 - ESP32 - Jul 28 2023 07:05:28)", "AT+CWMODE?": "+CWMODE:1", "AT+CWJAP?": `+CWJAP:"home","a0:b1:c2:d3:e4:f5",6,-81,0,1,3,0,1`,
			"AT+CIFSR": "+CIFSR:STAIP,\"0.0.0.0\"\r\n+CIFSR:STAMAC,\"24:6f:28:01:02:03\"", "AT+CIPSNTPTIME?": "+CIPSNTPTIME:Sat Nov 21 14:15:16 2026", "AT+MQTTCONN?": `+MQTTCONN:0,0,0,"","","",0`}, "wifi-no-address weak-signal", func(r *probe.Report) bool {
			return *r.Module == probe.Module{Family: probe.ESPAT, Maker: "Espressif", Model: "ESP32", Firmware: "3.2.0.0", Serial: "24:6f:28:01:02:03"} &&
				*r.WiFi == probe.WiFi{Mode: "station", Joined: true, SSID: "home", BSSID: "a0:b1:c2:d3:e4:f5", Channel: 6} && *r.Signal == probe.Signal{DBm: -81, Judgement: "weak"} &&
				r.Time == "2026-11-21T14:15:16" && r.MQTT.Commands == "AT+MQTT…"
		}},
		{"Wi-Fi that is off", map[string]string{"AT+GMR": "AT version:2.2.0.0(x - ESP8266 - y)", "AT+CWMODE?": "+CWMODE:0"}, "wifi-off", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				go dictionary(tt.answers)(theirs)
				r, err := probe.Run(t.Context(), ours, probe.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if codes(r) != tt.codes || tt.check != nil && !tt.check(r) {
					t.Errorf("found %q, want %q, in\n%+v\n%+v\n%+v\n%+v\n%+v", codes(r), tt.codes, *r, r.Module, r.MQTT, r.WiFi, r.Signal)
				}
			})
		})
	}
}
