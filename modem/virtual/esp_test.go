package virtual

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// espBench is an ESP8266 that has joined a network, without echo.
func espBench(t *testing.T, o Options, before ...string) *bench {
	t.Helper()
	o.Model = "esp8266"
	b := power(t, o)
	for _, line := range append([]string{"ATE0", "AT+CWMODE=1", `AT+CWJAP="home","12345678"`}, before...) {
		b.command(line)
	}
	return b
}

// takes is how long f lasts.
func takes(f func()) time.Duration {
	begun := time.Now()
	f()
	return time.Since(begun)
}

func TestESPTakesAsLongAsTheRealOne(t *testing.T) {
	for _, speed := range []float64{1, 10} {
		synctest.Test(t, func(t *testing.T) {
			b := espBench(t, Options{Speed: speed, AccessPoints: []AccessPoint{{SSID: "home", Password: "12345678"}}})
			for _, step := range []struct {
				line, until string
				low, high   time.Duration
			}{
				{"AT", "\r\nOK\r\n", time.Millisecond, 10 * time.Millisecond},
				{`AT+CWJAP="home","12345678"`, "\r\nOK\r\n", 2 * time.Second, 6 * time.Second},
				{`AT+CWJAP="home","wrong wrong"`, "FAIL\r\n", 15 * time.Second, 16 * time.Second},
				{"AT+CWLAP", "\r\nOK\r\n", 2 * time.Second, 3 * time.Second},
				{"AT+RST", "\r\nready\r\n", 300 * time.Millisecond, 500 * time.Millisecond},
			} {
				d := takes(func() { b.say(step.line + "\r\n"); b.until(step.until) })
				if d = time.Duration(float64(d) * speed); d < step.low || d > step.high {
					t.Errorf("speed %v: %s took %v, the real one %v to %v", speed, step.line, d, step.low, step.high)
				}
			}
		})
	}
}

func TestESPServesClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := espBench(t, Options{}, "AT+CIPMUX=1", "AT+CIPSERVER=1,8080", "AT+CIPSERVER=0", "AT+CIPSERVERMAXCONN=2", "AT+CIPSERVER=1,8080")
		first := b.world.enter()
		b.hear("0,CONNECT\r\n")
		second := b.world.enter()
		b.hear("1,CONNECT\r\n")
		// No third one.
		third := b.world.enter()
		if _, err := third.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the third client sees %v", err)
		}
		io.WriteString(second, "hello")
		b.hear("\r\n+IPD,1,5:hello")
		b.want("AT+CIPSEND=1,3", "\r\nOK\r\n> ")
		got := make(chan string)
		go func() {
			buf := make([]byte, 3)
			io.ReadFull(second, buf)
			got <- string(buf)
		}()
		b.say("hey")
		b.hear("\r\nRecv 3 bytes\r\n\r\nSEND OK\r\n")
		if s := <-got; s != "hey" {
			t.Errorf("the client got %q", s)
		}
		first.Close()
		b.hear("0,CLOSED\r\n")
		// A silent one is closed after AT+CIPSTO.
		b.want("AT+CIPSTO=60", "\r\nOK\r\n")
		d := takes(func() { b.hear("1,CLOSED\r\n") })
		if d > 181*time.Second {
			t.Errorf("closed after %v", d)
		}
	})
}

func TestESPIdleTimeIsCountedFromTheLastByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := espBench(t, Options{}, "AT+CIPMUX=1", "AT+CIPSERVER=1,8080", "AT+CIPSTO=10")
		client := b.world.enter()
		b.hear("0,CONNECT\r\n")
		time.Sleep(6 * time.Second)
		io.WriteString(client, "x")
		b.hear("\r\n+IPD,0,1:x")
		if d := takes(func() { b.hear("0,CLOSED\r\n") }); d != 10*time.Second {
			t.Errorf("closed %v after the last byte", d)
		}
	})
}

func TestESPFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault string
		run   func(b *bench)
	}{
		{"DNS fails once", "dns-failure*1", func(b *bench) {
			b.want(`AT+CIPSTART="TCP","echo.example",7`, "DNS Fail\r\n\r\nERROR\r\n")
			b.want(`AT+CIPSTART="TCP","echo.example",7`, "CONNECT\r\n\r\nOK\r\n")
		}},
		{"connections are refused", "connect-refused*1", func(b *bench) {
			b.want(`AT+CIPSTART="TCP","echo.example",7`, "\r\nERROR\r\nCLOSED\r\n")
			b.want(`AT+CIPSTART="TCP","echo.example",7`, "CONNECT\r\n\r\nOK\r\n")
		}},
		{"connections are lost", "", func(b *bench) {
			b.want(`AT+CIPSTART="TCP","echo.example",7`, "CONNECT\r\n\r\nOK\r\n")
			b.begins("link-lost")
			b.hear("CLOSED\r\n")
			b.want(`AT+CIPSTATUS`, "STATUS:4\r\n\r\nOK\r\n")
		}},
		{"wrong password", "wrong-password", func(b *bench) {
			b.want(`AT+CWJAP="home","12345678"`, "WIFI DISCONNECT\r\n+CWJAP:2\r\n\r\nFAIL\r\n")
			// The station goes on trying, and gets in when the fault is over.
			b.ends("wrong-password")
			b.hear("WIFI CONNECTED\r\nWIFI GOT IP\r\n")
		}},
		{"no address", "dhcp-timeout", func(b *bench) {
			b.want(`AT+CWJAP="home","12345678"`, "WIFI DISCONNECT\r\nWIFI CONNECTED\r\nDHCP TIMEOUT\r\n")
			b.until("FAIL\r\n")
			b.ends("dhcp-timeout")
			b.until("WIFI GOT IP\r\n")
		}},
		{"the network goes and comes back", "", func(b *bench) {
			b.want(`AT+CIPSTART="TCP","echo.example",7`, "CONNECT\r\n\r\nOK\r\n")
			b.begins("no-signal")
			b.hear("WIFI DISCONNECT\r\nCLOSED\r\n")
			b.want("AT+CIPSTATUS", "STATUS:5\r\n\r\nOK\r\n")
			b.want(`AT+CIPSTART="TCP","echo.example",7`, "no ip\r\n\r\nERROR\r\n")
			b.want("AT+CWLAP", "\r\nOK\r\n")
			b.ends("no-signal")
			b.hear("WIFI CONNECTED\r\nWIFI GOT IP\r\n")
			b.want("AT+CIPSTATUS", "STATUS:2\r\n\r\nOK\r\n")
		}},
		{"the module resets by itself", "", func(b *bench) {
			b.begins("reset")
			b.hear("\r\nready\r\n")
		}},
		{"it resets again and again", "reset=30s*3@10s", func(b *bench) {
			for range 3 {
				b.until("\r\nready\r\n")
				b.until("WIFI GOT IP\r\n")
			}
			b.silent()
		}},
		{"no time", "time-not-set", func(b *bench) {
			b.command("AT+CIPSNTPCFG=1,8")
			time.Sleep(time.Minute)
			if got := b.command("AT+CIPSNTPTIME?"); !strings.HasPrefix(got, "+CIPSNTPTIME:Thu Jan 01 00:01:") {
				b.Errorf("without a server the clock says %q", got)
			}
			b.ends("time-not-set")
			time.Sleep(time.Minute)
			b.want("AT+CIPSNTPTIME?", "+CIPSNTPTIME:Wed Jan 15 14:15:27 2025\r\nOK\r\n")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.behave("echo.example:7", "echo")
				b := espBench(t, Options{Network: w, Now: func() time.Time { return time.Date(2025, 1, 15, 6, 15, 27, 0, time.UTC) }})
				if tt.fault != "" {
					b.begins(tt.fault)
				}
				tt.run(b)
			})
		})
	}
}

// begins puts a fault in force.
func (b *bench) begins(text string) {
	b.Helper()
	f, err := ParseFault(text)
	if err == nil {
		err = b.SetFault(f)
	}
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) ends(name string) {
	b.Helper()
	if err := b.ClearFault(name); err != nil {
		b.Fatal(err)
	}
}

func TestESPLinkClosedDuringDataEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		hangUp := make(chan bool)
		w.Put("peer.example:1", func(c net.Conn) { <-hangUp })
		b := espBench(t, Options{Network: w}, `AT+CIPSTART="TCP","peer.example",1`)
		b.want("AT+CIPSEND=5", "\r\nOK\r\n> ")
		b.say("he")
		close(hangUp)
		b.hear("CLOSED\r\n")
		b.say("llo")
		b.hear("\r\nRecv 5 bytes\r\nSEND FAIL\r\n")
		b.want("AT", "\r\nOK\r\n")
	})
}

// What the peer says while the host hands over data waits until it is sent.
func TestESPHoldsDataDuringDataEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		speak := make(chan bool)
		w.Put("peer.example:1", func(c net.Conn) {
			<-speak
			io.WriteString(c, "news")
			io.Copy(io.Discard, c)
		})
		b := espBench(t, Options{Network: w}, `AT+CIPSTART="TCP","peer.example",1`)
		b.want("AT+CIPSEND=5", "\r\nOK\r\n> ")
		close(speak)
		b.silent()
		b.say("hello")
		b.hear("\r\nRecv 5 bytes\r\n\r\nSEND OK\r\n\r\n+IPD,4:news")
	})
}

// A segment holds at most 1460 bytes, and a host that does not read slows the
// peer down instead of losing anything.
func TestESPPassesLongDataOnWithoutLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total = 300_000
		w := newWorld()
		w.Put("peer.example:1", func(c net.Conn) {
			c.Write(make([]byte, total))
			io.Copy(io.Discard, c)
		})
		b := espBench(t, Options{Network: w}, `AT+CIPSTART="TCP","peer.example",1`)
		time.Sleep(time.Minute) // nobody reads
		for sum := 0; sum < total; {
			b.hear("\r\n+IPD,")
			var n int
			fmt.Sscanf(b.until(":"), "%d:", &n)
			if n < 1 || n > maxSegment {
				t.Fatalf("a segment of %d bytes", n)
			}
			b.hear(strings.Repeat("\x00", n))
			sum += n
		}
		b.silent()
	})
}

func TestESPReconnectsInTransparentMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		met := 0
		var mu sync.Mutex
		peer := func(c net.Conn) {
			mu.Lock()
			met++
			again := met > 1
			mu.Unlock()
			if !again {
				c.Read(make([]byte, 1)) // and hangs up
				return
			}
			io.WriteString(c, "welcome back")
			io.Copy(c, c)
		}
		w.Put("peer.example:1", peer)
		w.Put("peer.example:2", peer)
		b := espBench(t, Options{Network: w}, "AT+CIPMODE=1", `AT+CIPSTART="TCP","peer.example",1`)
		b.want("AT+CIPSEND", "\r\nOK\r\n\r\n>")
		b.say("x")
		d := takes(func() { b.hear("welcome back") }) // and no word of CLOSED
		if d < time.Second || d > 2*time.Second {
			t.Errorf("back after %v", d)
		}
		b.say("hello")
		b.hear("hello")
		// While Wi-Fi is away nothing is said either.
		b.begins("no-signal")
		time.Sleep(10 * time.Second)
		b.ends("no-signal")
		b.hear("welcome back")
		time.Sleep(time.Second)
		b.say("+++")
		time.Sleep(time.Second)
		b.want("AT", "\r\nOK\r\n")
	})
}

func TestESPTypedEscape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.behave("peer.example:7", "echo")
		b := espBench(t, Options{Network: w, Quirks: []string{"typed-escape"}}, "AT+CIPMODE=1", `AT+CIPSTART="TCP","peer.example",7`)
		b.want("AT+CIPSEND", "\r\nOK\r\n\r\n>")
		for range 3 {
			b.say("+")
			time.Sleep(200 * time.Millisecond)
		}
		time.Sleep(time.Second)
		b.want("AT", "\r\nOK\r\n")
	})
}

// Hosts are mapped, names in the AT commands stay.
func TestESPMapsHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.behave("127.0.0.1:1884", "say here")
		to, err := ParseMapping("*.iot-as-mqtt.cn-shanghai.aliyuncs.com=127.0.0.1:1884")
		if err != nil {
			t.Fatal(err)
		}
		b := espBench(t, Options{Network: w, Map: []Mapping{to}})
		b.want(`AT+CIPSTART="TCP","PK.iot-as-mqtt.cn-shanghai.aliyuncs.com",1883`, "CONNECT\r\n\r\nOK\r\n")
		b.hear("\r\n+IPD,4:here")
	})
}

func TestESPTellsTheObserverWhatCausedWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.behave("peer.example:7", "echo")
		var mu sync.Mutex
		var events []Event
		b := espBench(t, Options{Network: w, Observer: func(e Event) { mu.Lock(); events = append(events, e); mu.Unlock() }})
		b.command(`AT+CIPSTART="TCP","peer.example",7`)
		b.want("AT+CIPSEND=2", "\r\nOK\r\n> ")
		b.say("hi")
		b.until("+IPD,2:hi")
		b.command("AT+CIPCLOSE")
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		lines := map[uint64]string{}
		var story []string
		for _, e := range events {
			switch e.Kind {
			case Line:
				lines[e.Seq] = string(e.Data)
			case Opened, Sent, Received, Closed:
				story = append(story, fmt.Sprintf("%s: %s %s%s", strings.SplitAfter(lines[e.Cause], "=")[0], e.Kind, e.Data, e.Peer))
			}
		}
		want := []string{
			"AT+CIPSTART=: opened peer.example:7", "AT+CIPSEND=: sent hi",
			"AT+CIPSTART=: received hi", "AT+CIPSTART=: closed ",
		}
		if strings.Join(story, "\n") != strings.Join(want, "\n") {
			t.Errorf("the story is\n%s\nwant\n%s", strings.Join(story, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestESPSwitchesSpeedAfterItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := espBench(t, Options{Baud: 9600})
		// 9600 baud: 960 bytes a second.
		if d := takes(func() { b.command("AT+CIFSR") }); d < 70*time.Millisecond || d > 120*time.Millisecond {
			t.Errorf("78 bytes at 9600 baud took %v", d)
		}
		b.want("AT+UART_CUR=115200,8,1,0,0", "\r\nOK\r\n")
		if d := takes(func() { b.command("AT+CIFSR") }); d > 20*time.Millisecond {
			t.Errorf("78 bytes at 115200 baud took %v", d)
		}
		b.begins("slow-uart=300")
		if d := takes(func() { b.command("AT") }); d < 190*time.Millisecond {
			t.Errorf("6 bytes at 300 baud took %v", d)
		}
		b.ends("slow-uart")
		if d := takes(func() { b.command("AT") }); d > 20*time.Millisecond {
			t.Errorf("after the fault 6 bytes took %v", d)
		}
	})
}

func TestESPLosesBytesRepeatably(t *testing.T) {
	session := func(seed uint64) (heard string) {
		synctest.Test(t, func(t *testing.T) {
			b := power(t, Options{Model: "esp8266", Seed: seed})
			b.begins("lost-bytes=0.2")
			said := make(chan []byte)
			go func() { // at once: what waits when the fault ends is not harmed
				all, _ := io.ReadAll(b.host)
				said <- all
			}()
			for range 20 {
				b.say("AT+GMR\r\n")
				time.Sleep(time.Second)
			}
			b.ends("lost-bytes")
			b.host.SetReadDeadline(time.Now())
			heard = string(<-said)
			b.host.SetReadDeadline(time.Time{})
			// Whatever was lost, the module is well.
			b.say("\r\n")
			b.until("\r\n")
			b.until("ERROR\r\n")
			b.say("AT\r\n")
			b.until("\r\nOK\r\n")
		})
		return heard
	}
	first, second, other := session(1), session(1), session(2)
	if first != second {
		t.Errorf("the same seed lost other bytes:\n%q\n%q", first, second)
	}
	if first == other {
		t.Error("another seed lost the same bytes")
	}
	if !strings.Contains(first, "ERROR") {
		t.Error("no command was harmed")
	}
}

// AT+SYSMSG=3 has the long form, in mux mode for servers too.
func TestESPLongConnectMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.behave("192.168.1.10:7", "echo")
		b := espBench(t, Options{Network: w}, "AT+SYSMSG_CUR=2")
		b.want(`AT+CIPSTART="TCP","192.168.1.10",7`, "+LINK_CONN:0,0,\"TCP\",0,\"192.168.1.10\",7,52104\r\n\r\nOK\r\n")
	})
}

func TestESPSleepsAndWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := power(t, Options{Model: "esp8266"})
		b.command("ATE0")
		b.want("AT+GSLP=5000", "\r\nOK\r\n")
		b.say("AT\r\n") // nobody hears it
		if d := takes(func() { b.hear("\r\nready\r\n") }); d < 5*time.Second || d > 6*time.Second {
			t.Errorf("woke after %v", d)
		}
	})
}

func TestESPBootText(t *testing.T) {
	for quirk, want := range map[string]func(string) bool{
		"boot-text":  func(s string) bool { return strings.HasPrefix(s, "\r\n ets Jan  8 2013,rst cause:2") },
		"boot-noise": func(s string) bool { return len(s) > 300 && s[0] >= 0x80 },
	} {
		synctest.Test(t, func(t *testing.T) {
			b := power(t, Options{Model: "esp8266", Quirks: []string{quirk}})
			b.say("AT+RST\r\n")
			b.until("\r\nOK\r\n")
			if got := b.until("\r\nready\r\n"); !want(got) {
				t.Errorf("%s: %q", quirk, got)
			}
		})
	}
}

func TestESPStrictCommas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := power(t, Options{Model: "esp8266", Firmware: "2.2", Quirks: []string{"strict-commas"}})
		b.command("ATE0")
		b.want(`AT+CIPSNTPCFG=1,8,"a,b"`, "\r\nERROR\r\n")
		b.want(`AT+CIPSNTPCFG=1,8,"a\,b"`, "\r\nOK\r\n")
	})
}

const espMQTTLogin = `AT+MQTTUSERCFG=0,1,"dev","user","pass",0,0,""`

func TestESPMQTTConnectsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		subscribed := make(chan string, 8)
		w.Put("broker.example:1883", func(c net.Conn) { brokerThat(c, subscribed) })
		b := espBench(t, Options{Network: w, Firmware: "2.2"}, espMQTTLogin, `AT+MQTTCONNCFG=0,0,0,"","",0,0`)
		up := "+MQTTCONNECTED:0,1,\"broker.example\",\"1883\",\"\",1\r\n"
		b.want(`AT+MQTTCONN=0,"broker.example",1883,1`, up+"\r\nOK\r\n")
		b.want(`AT+MQTTSUB=0,"t/#",1`, "\r\nOK\r\n")
		if s := <-subscribed; s != "t/#" {
			t.Errorf("subscribed to %q", s)
		}
		b.begins("link-lost")
		b.hear("+MQTTDISCONNECTED:0\r\n")
		b.want("AT+MQTTCONN?", "+MQTTCONN:0,3,1,\"broker.example\",\"1883\",\"\",1\r\n\r\nOK\r\n")
		b.want(`AT+MQTTPUB=0,"t","x",0,0`, "\r\nERROR\r\n")
		b.hear(up)
		if s := <-subscribed; s != "t/#" {
			t.Errorf("subscribed again to %q", s)
		}
		b.want("AT+MQTTSUB?", "+MQTTSUB:0,6,\"t/#\",1\r\n\r\nOK\r\n")
		// A drop while data is entered is told by the failure only.
		b.want(`AT+MQTTPUBRAW=0,"t",4,1,0`, "\r\nOK\r\n\r\n>")
		b.begins("link-lost")
		b.silent()
		b.say("data")
		b.hear("+MQTTPUB:FAIL\r\n+MQTTDISCONNECTED:0")
		b.hear(up)
	})
}

// brokerThat is broker, and tells what is subscribed to.
func brokerThat(c net.Conn, subscribed chan<- string) {
	ours, theirs := net.Pipe()
	go func() { defer theirs.Close(); broker(theirs) }()
	go func() { defer c.Close(); io.Copy(c, ours) }()
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			ours.Close()
			return
		}
		if buf[0] == 0x82 {
			subscribed <- string(buf[6 : n-1])
		}
		ours.Write(buf[:n])
	}
}

func TestESPMQTTRefusedAndDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Put("broker.example:1883", broker)
		b := espBench(t, Options{Network: w, Firmware: "2.2"}, `AT+MQTTUSERCFG=0,1,"dev","wrong","",0,0,""`, `AT+MQTTCONNCFG=0,0,0,"","",0,0`)
		b.want(`AT+MQTTCONN=0,"broker.example",1883,1`, "\r\nERROR\r\n")
		b.want("AT+MQTTCONN?", "+MQTTCONN:0,2,1,\"broker.example\",\"1883\",\"\",1\r\n\r\nOK\r\n")
		b.command(espMQTTLogin)
		b.command(`AT+MQTTCONNCFG=0,0,0,"","",0,0`)
		b.command(`AT+MQTTCONN=0,"broker.example",1883,0`)
		b.begins("link-lost")
		b.hear("+MQTTDISCONNECTED:0\r\n")
		// Without reconnecting the client has to be cleaned first.
		b.want(`AT+MQTTCONN=0,"broker.example",1883,0`, "\r\nERROR\r\n")
		b.want("AT+MQTTCLEAN=0", "\r\nOK\r\n")
		b.command(espMQTTLogin)
		b.command(`AT+MQTTCONNCFG=0,0,0,"","",0,0`)
		b.command(`AT+MQTTCONN=0,"broker.example",1883,0`)
	})
}

// A message larger than the buffer comes in pieces.
func TestESPMQTTLargeMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Put("broker.example:1883", broker)
		b := espBench(t, Options{Network: w, Firmware: "2.2"}, espMQTTLogin, `AT+MQTTCONNCFG=0,0,0,"","",0,0`,
			`AT+MQTTCONN=0,"broker.example",1883,0`, `AT+MQTTSUB=0,"back",0`)
		b.want(`AT+MQTTPUBRAW=0,"back",2500,0,0`, "\r\nOK\r\n\r\n>")
		b.say(strings.Repeat("x", 2500))
		b.hear("+MQTTPUB:OK\r\n")
		for _, n := range []int{1016, 1024, 460} {
			b.hear(fmt.Sprintf("+MQTTSUBRECV:0,\"back\",%d,%s\r\n", n, strings.Repeat("x", n)))
		}
	})
}

func TestOneHostAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := power(t, Options{Model: "esp8266"})
		_, other := net.Pipe()
		if err := b.Attach(t.Context(), other); err != ErrAttached {
			t.Errorf("the second host: %v", err)
		}
		b.command("AT")
	})
}

// A host that comes while the last thing said to the one before is still being
// written is heard and answered as any other.
func TestAHostComesAsAnotherLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := New(Options{Model: "esp8266"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go m.Run(ctx)
		first := &slowPort{ended: make(chan struct{}), take: make(chan struct{})}
		left := make(chan error)
		go func() { left <- m.Attach(ctx, first) }()
		<-first.ended // while the module says that it is ready
		synctest.Wait()
		second, host := net.Pipe()
		go m.Attach(ctx, second)
		synctest.Wait()
		close(first.take)
		if err := <-left; err != nil {
			t.Error(err)
		}
		go io.WriteString(host, "AT\r\n")
		b := bufio.NewReader(host)
		for _, want := range []string{"AT\r\n", "\r\n", "OK\r\n"} {
			host.SetReadDeadline(time.Now().Add(time.Minute))
			if line, err := b.ReadString('\n'); line != want {
				t.Fatalf("heard %q, want %q: %v", line, want, err)
			}
		}
	})
}

// A slowPort ends as soon as it is written to, and takes what is written when
// it is let.
type slowPort struct {
	once        sync.Once
	ended, take chan struct{}
}

func (p *slowPort) Read([]byte) (int, error) {
	<-p.ended
	return 0, io.EOF
}

func (p *slowPort) Write(b []byte) (int, error) {
	p.once.Do(func() { close(p.ended) })
	<-p.take
	return len(b), nil
}

// Nothing of a module is left when its power has gone.
func TestRunEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		w := newWorld()
		w.behave("peer.example:1", "silent")
		m, err := New(Options{Model: "esp8266", Network: w})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for _, line := range []string{"AT+CWMODE=1", `AT+CWJAP="home","12345678"`, `AT+CIPSTART="TCP","peer.example",1`, "AT+CIPMODE=1", "AT+CIPSEND"} {
				time.Sleep(20 * time.Second)
				m.Receive([]byte(line + "\r\n"))
			}
			time.Sleep(time.Second)
			cancel()
		}()
		if err := m.Run(ctx); err != nil {
			t.Error(err)
		}
		if err := m.Run(ctx); err == nil {
			t.Error("it ran twice")
		}
		m.Reset()
		m.Receive([]byte("AT\r\n"))
	})
}

// Whatever comes over the line, the module survives it, and answers after a
// reset.
func FuzzESP(f *testing.F) {
	for _, seed := range []string{
		"AT\r\n", "ATE0\r\nAT+CWMODE=1\r\n", "AT+CWJAP=\"a\\\"b\",\"\\\\\"\r\n", "AT+CIPSTART=\"TCP\",\"peer.example\",7\r\n",
		"AT+CIPSEND=3\r\nabc", "AT+CIPSENDEX=9\r\na\\0", "AT+CIPMODE=1\r\nAT+CIPSEND\r\nxyz+++", "\x00\xff\r\r\n\n",
		"AT+CIPMUX=1\r\nAT+CIPSERVER=1\r\nAT+CIPCLOSE=5\r\n", "AT+UART_CUR=80,5,3,2,3\r\n", "AT+CWLAPOPT=1,2047\r\nAT+CWLAP\r\n",
		"AT+MQTTUSERCFG=0,1,\"a\",\"b\",\"c\",0,0,\"\"\r\nAT+MQTTLONGCLIENTID=0,3\r\nabc", "AT+RST\r\nAT+RST\r\n", "AT+SAVETRANSLINK=1,\"peer.example\",7\r\nAT+RST\r\n",
	} {
		f.Add(seed, uint8(0))
		f.Add(seed, uint8(5))
	}
	f.Fuzz(func(t *testing.T, text string, firmware uint8) {
		if len(text) > 4096 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.behave("peer.example:7", "echo")
			m, err := New(Options{Model: "esp8266", Network: w, Firmware: esp8266.Firmwares[int(firmware)%len(esp8266.Firmwares)].Name})
			if err != nil {
				t.Fatal(err)
			}
			host, uart := net.Pipe()
			ctx, cancel := context.WithCancel(t.Context())
			var all sync.WaitGroup
			all.Go(func() { m.Attach(ctx, uart) })
			all.Go(func() { m.Run(ctx) })
			var mu sync.Mutex
			var heard strings.Builder
			all.Go(func() {
				buf := make([]byte, 4096)
				for {
					n, err := host.Read(buf)
					mu.Lock()
					heard.Write(buf[:n])
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
			said := func() string { mu.Lock(); defer mu.Unlock(); s := heard.String(); heard.Reset(); return s }
			time.Sleep(time.Second)
			for _, line := range []string{"AT+CWMODE=1\r\n", "AT+CWJAP=\"home\",\"12345678\"\r\n"} {
				m.Receive([]byte(line))
				time.Sleep(10 * time.Second)
			}
			for line := range strings.Lines(text) {
				m.Receive([]byte(line))
				time.Sleep(30 * time.Second)
			}
			m.Reset()
			time.Sleep(time.Second)
			if s := said(); !strings.Contains(s, "\r\nready\r\n") {
				t.Errorf("after a reset it said %q", s)
			}
			time.Sleep(30 * time.Second)
			m.Receive([]byte("+++"))
			time.Sleep(2 * time.Second)
			said()
			m.Receive([]byte("\r\nAT\r\n"))
			time.Sleep(10 * time.Second)
			if s := said(); !strings.HasSuffix(s, "\r\nOK\r\n") {
				t.Errorf("it does not answer: %q", s)
			}
			cancel()
			host.Close()
			all.Wait()
		})
	})
}
