package virtual

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// powered gives a module power, types into it, and takes the power away.
func powered(t *testing.T, o Options, typed ...string) (said string, flash []byte, changes int) {
	t.Helper()
	var mu sync.Mutex
	o.Network = newWorld()
	o.Observer = func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Kind == Flashed {
			changes++
		}
	}
	synctest.Test(t, func(t *testing.T) {
		b := start(t, o)
		var all strings.Builder
		read := make(chan struct{})
		go func() {
			defer close(read)
			io.Copy(&all, b.host)
		}()
		for _, line := range append([]string{""}, typed...) {
			<-time.After(20 * time.Second) // of the bubble's time
			if line != "" {
				io.WriteString(b.host, line+"\r\n")
			}
		}
		<-time.After(20 * time.Second)
		flash = b.Flash()
		b.host.Close()
		<-read
		said = all.String()
	})
	mu.Lock()
	defer mu.Unlock()
	return said, flash, changes
}

// What a real module keeps without power is there the next time, and what it
// forgets is not.
func TestFlashOutlivesThePower(t *testing.T) {
	for _, tt := range []struct {
		name          string
		o             Options
		typed, asked  []string
		wants, wantOf []string // what is said the next time, and what not
	}{
		{
			"ESP8266", Options{Model: "esp8266", AccessPoints: []AccessPoint{{SSID: "home", Password: "12345678"}}},
			[]string{"AT+CWMODE=1", `AT+CWJAP="home","12345678"`, "AT+CIPMUX=1", "AT+CWMODE_CUR=3", "AT+UART_DEF=9600,8,1,0,0", `AT+CWHOSTNAME="lamp"`},
			[]string{"AT+CWMODE?", "AT+UART_DEF?", "AT+CIPMUX?", "AT+CWHOSTNAME?"},
			[]string{"WIFI CONNECTED\r\nWIFI GOT IP\r\n", "+CWMODE:1\r\n", "+UART_DEF:9600,8,1,0,0", "+CIPMUX:0\r\n", "+CWHOSTNAME:lamp\r\n"}, nil,
		},
		{
			"ESP-AT that spares its flash", Options{Model: "esp8266", Firmware: "2", AccessPoints: []AccessPoint{{SSID: "home", Password: "12345678"}}},
			[]string{"AT+SYSSTORE=0", "AT+CWMODE=3", `AT+CWJAP="home","12345678"`},
			[]string{"AT+CWMODE?"}, []string{"+CWMODE:1\r\n"}, []string{"WIFI CONNECTED"},
		},
		{
			"EC20", Options{Model: "ec20", Baud: 115200},
			[]string{"ATE0", "AT&W", "AT+IPR=9600", `AT+CGDCONT=1,"IP","my.apn"`, `AT+QFUPL="ca.pem",4,100`, "abcd", `AT+QMTCFG="keepalive",0,77`, "AT+CREG=2"},
			[]string{"AT+IPR?", "AT+CGDCONT?", "AT+QFLST", `AT+QMTCFG="keepalive",0`, "AT+CREG?"},
			[]string{"+IPR: 9600\r\n", `"my.apn"`, `+QFLST: "ca.pem",4`, `+QMTCFG: "keepalive",120`, "+CREG: 0,1\r\n"}, []string{"AT+IPR?"},
		},
		{
			"NT35E", Options{Model: "nt35e"}, []string{`AT+CGDCONT=2,"IP","iot"`}, []string{"AT+CGDCONT?"}, []string{`+CGDCONT: 2,"IP","iot"`}, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, flash, changes := powered(t, tt.o, tt.typed...)
			if changes == 0 {
				t.Error("nobody was told of the change")
			}
			tt.o.Flash = flash
			said, again, changes := powered(t, tt.o, tt.asked...)
			if !bytes.Equal(again, flash) || changes != 0 {
				t.Errorf("asking changed the flash %d times\n%s\n%s", changes, flash, again)
			}
			for _, want := range tt.wants {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in %q", want, said)
				}
			}
			for _, not := range tt.wantOf {
				if strings.Contains(said, not) {
					t.Errorf("%q in %q", not, said)
				}
			}
		})
	}
}

func TestFlashThatIsNotTaken(t *testing.T) {
	flashOf := func(model, firmware string) []byte {
		m, err := New(Options{Model: model, Firmware: firmware})
		if err != nil {
			t.Fatal(err)
		}
		return m.Flash()
	}
	esp := flashOf("esp8266", "")
	for _, tt := range []struct {
		name, model, firmware string
		flash                 []byte
		want                  string
	}{
		{"another module's", "ec20", "", esp, "it is of an esp8266, and this is an ec20"},
		{"another generation's", "esp8266", "2", esp, "it is of firmware 1.7.4.0"},
		{"changed", "esp8266", "", bytes.Replace(esp, []byte(`"mode": 2`), []byte(`"mode": 1`), 1), "SHA256 does not fit"},
		{"cut off", "esp8266", "", esp[:len(esp)/2], "damaged"},
		{"nothing of the kind", "esp8266", "", []byte("hello"), "no flash of a module"},
		{"other JSON", "esp8266", "", []byte(`{}`), "no flash of a module"},
		{"too long", "esp8266", "", bytes.Repeat([]byte(" "), maxFlash+1), "more than any module has"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(Options{Model: tt.model, Firmware: tt.firmware, Flash: tt.flash})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := New(Options{Model: "esp8266", Firmware: "1.7.6", Flash: esp}); err != nil {
		t.Errorf("an update within 1.x: %v", err)
	}
}

// Whatever the file holds: an error, or a module that keeps exactly that.
func FuzzFlash(f *testing.F) {
	for _, d := range Models() {
		m, err := New(Options{Model: d.Name})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(d.Name, m.Flash())
	}
	f.Fuzz(func(t *testing.T, model string, text []byte) {
		m, err := New(Options{Model: model, Flash: text})
		if err != nil || len(text) == 0 {
			return
		}
		again, err := New(Options{Model: model, Flash: m.Flash()})
		if err != nil || !bytes.Equal(again.Flash(), m.Flash()) {
			t.Errorf("%s became %s, %v", text, m.Flash(), err)
		}
	})
}
