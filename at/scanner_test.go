package at

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// scan feeds text in pieces of the given size and returns the events.
func scan(s *Scanner, text string, size int) (events []string) {
	emit := func(e Event) { events = append(events, e.String()) }
	for len(text) > 0 {
		n := min(size, len(text))
		s.Scan([]byte(text[:n]), emit)
		text = text[n:]
	}
	return events
}

func TestScanner(t *testing.T) {
	esp, cell := EspressifHeaders(), CellularHeaders()
	for _, tt := range []struct {
		name    string
		headers []Header
		sent    string // echo to expect
		text    string
		want    []string
	}{
		{"OK", esp, "", "\r\nOK\r\n", []string{`line "OK"`}},
		{"echo of AT 1.7", esp, "AT\r\n", "AT\r\n\r\nOK\r\n", []string{`echo "AT"`, `line "OK"`}},
		{"echo of AT 1.3 has two CR", esp, "AT\r\n", "AT\r\r\n\r\nOK\r\n", []string{`echo "AT"`, `line "OK"`}},
		{"echo of a cellular module", cell, "AT+CSQ\r", "AT+CSQ\r\r\n+CSQ: 28,0\r\n\r\nOK\r\n", []string{`echo "AT+CSQ"`, `line "+CSQ: 28,0"`, `line "OK"`}},
		{"no echo", cell, "AT+CSQ\r", "\r\n+CSQ: 28,0\r\n\r\nOK\r\n", []string{`line "+CSQ: 28,0"`, `line "OK"`}},
		{"a line that begins like the echo is none", esp, "AT\r\n", "AT version:1.7.4.0\r\n", []string{`line "AT version:1.7.4.0"`}},
		{"an event before the echo", cell, "AT+CSQ\r", "\r\n+CREG: 1\r\nAT+CSQ\r\r\n", []string{`line "+CREG: 1"`, `echo "AT+CSQ"`}},
		{"an echo torn by an event", esp, "AT+CIFSR\r\n", "AT+CI\r\n+IPD,2:hiFSR\r\n", []string{`line "AT+CI"`, `data "+IPD,2:" "hi"`, `line "FSR"`}},
		{"lines without an end of their own", esp, "", "+CWAUTOCONN:1\r\nOK\r\n", []string{`line "+CWAUTOCONN:1"`, `line "OK"`}},
		{"a lost LF glues nothing together", cell, "", "\r\n+CSQ: 1,2\rOK\r\n", []string{`line "+CSQ: 1,2"`, `line "OK"`}},

		{"prompt of AT 1.7", esp, "", "\r\nOK\r\n> ", []string{`line "OK"`, "prompt"}},
		{"prompt of ESP-AT", esp, "", "\r\nOK\r\n\r\n>", []string{`line "OK"`, "prompt"}},
		{"prompt and an event at once", esp, "", "> CLOSED\r\n", []string{"prompt", `line "CLOSED"`}},
		{"prompt without a space", esp, "", ">CLOSED\r\n", []string{"prompt", `line "CLOSED"`}},
		{"echo of a payload after the prompt", cell, "{\"a\":1}", "\r\n> {\"a\":1}\r\nOK\r\n", []string{"prompt", `echo "{\"a\":1}"`, `line "OK"`}},
		{"echo of a payload with line ends", cell, "a\r\nOK\r\nb", "\r\n> a\r\nOK\r\nb\r\nOK\r\n", []string{"prompt", `echo "a\r\nOK\r\nb"`, `line "OK"`}},
		{"what begins like a payload of lines", cell, "+Q\r\nb", "+Q\r\nOK\r\n", []string{`line "+Q"`, `line "OK"`}},
		{"> inside a line", cell, "", "a> b\r\n", []string{`line "a> b"`}},

		{"IPD", esp, "", "\r\n+IPD,7:he\r\nOK>\r\nOK\r\n", []string{`data "+IPD,7:" "he\r\nOK>"`, `line "OK"`}},
		{"IPD with an id", esp, "", "\r\n+IPD,0,5:hello", []string{`data "+IPD,0,5:" "hello"`}},
		{"IPD with an address", esp, "", "\r\n+IPD,5,192.168.1.10,1883:hello", []string{`data "+IPD,5,192.168.1.10,1883:" "hello"`}},
		{"IPD with id and quoted address", esp, "", "\r\n+IPD,1,2,\"::1\",1883:hi", []string{`data "+IPD,1,2,\"::1\",1883:" "hi"`}},
		{"two segments", esp, "", "\r\n+IPD,3:abc\r\n+IPD,2:deCLOSED\r\n", []string{`data "+IPD,3:" "abc"`, `data "+IPD,2:" "de"`, `line "CLOSED"`}},
		{"IPD of CIPRECVMODE=1 only tells", esp, "", "\r\n+IPD,0,4\r\nOK\r\n", []string{`line "+IPD,0,4"`, `line "OK"`}},
		{"IPD between OK and prompt", esp, "", "\r\nOK\r\n\r\n+IPD,1:x> ", []string{`line "OK"`, `data "+IPD,1:" "x"`, "prompt"}},
		{"IPD that is none", esp, "", "+IPD,x:1\r\n", []string{`line "+IPD,x:1"`}},
		{"IPD of nothing", esp, "", "+IPD,0:\r\nOK\r\n", []string{`data "+IPD,0:" ""`, `line "OK"`}},
		{"CIPRECVDATA of AT 1.7", esp, "", "\r\n+CIPRECVDATA,4:\r\n>x\r\nOK\r\n", []string{`data "+CIPRECVDATA,4:" "\r\n>x"`, `line "OK"`}},
		{"CIPRECVDATA of ESP-AT", esp, "", "+CIPRECVDATA:4,a:,b\r\nOK\r\n", []string{`data "+CIPRECVDATA:4," "a:,b"`, `line "OK"`}},
		{"MQTTSUBRECV", esp, "", "+MQTTSUBRECV:0,\"a,b\",7,{\"v\":2}\r\n", []string{`data "+MQTTSUBRECV:0,\"a,b\",7," "{\"v\":2}"`}},

		{"QIRD", cell, "", "\r\n+QIRD: 4\r\nte\r\n\r\n\r\nOK\r\n", []string{`data "+QIRD: 4" "te\r\n"`, `line "OK"`}},
		{"QIRD of nothing", cell, "", "\r\n+QIRD: 0\r\n\r\nOK\r\n", []string{`line "+QIRD: 0"`, `line "OK"`}},
		{"QIRD that counts", cell, "", "\r\n+QIRD: 10,4,6\r\n\r\nOK\r\n", []string{`line "+QIRD: 10,4,6"`, `line "OK"`}},
		{"QIRD whose LF was lost", cell, "", "\r\n+QIRD: 4\rtest\r\n\r\nOK\r\n", []string{`data "+QIRD: 4" "test"`, `line "OK"`}},
		{"QIURC that pushes", cell, "", "\r\n+QIURC: \"recv\",0,4\r\ntest\r\n", []string{`data "+QIURC: \"recv\",0,4" "test"`}},
		{"QIURC that announces", cell, "", "\r\n+QIURC: \"recv\",0\r\n\r\n+QIURC: \"closed\",0\r\n", []string{`line "+QIURC: \"recv\",0"`, `line "+QIURC: \"closed\",0"`}},
		{"QMTRECV with a length", cell, "", "\r\n+QMTRECV: 0,0,\"t\",5,\"a\"\r\nb\"\r\n\r\nOK\r\n", []string{`data "+QMTRECV: 0,0,\"t\",5," "a\"\r\nb"`, `line "OK"`}},
		{"QMTRECV with a length and no quotes", cell, "", "\r\n+QMTRECV: 0,0,\"t\",2,hi\r\n", []string{`data "+QMTRECV: 0,0,\"t\",2," "hi"`}},
		{"QMTRECV with a line end behind the length", cell, "", "\r\n+QMTRECV: 0,0,\"t\",2,\r\n\"hi\"\r\nOK\r\n", []string{`data "+QMTRECV: 0,0,\"t\",2," "hi"`, `line "OK"`}},
		{"QMTRECV without a length", cell, "", "\r\n+QMTRECV: 0,0,\"t\",\"[\"a\",5,6]\"\r\n", []string{`line "+QMTRECV: 0,0,\"t\",\"[\"a\",5,6]\""`}},
		{"QMTRECV of an empty message", cell, "", "\r\n+QMTRECV: 0,0,\"t\",0,\"\"\r\n\r\nOK\r\n", []string{`data "+QMTRECV: 0,0,\"t\",0," ""`, `line "OK"`}},
		{"QMTRECV that announces", cell, "", "\r\n+QMTRECV: 0,1\r\n", []string{`line "+QMTRECV: 0,1"`}},
		{"CMQTT", cell, "", "\r\n+CMQTTRXTOPIC: 0,5\r\nto\r\nc\r\n+CMQTTRXPAYLOAD: 0,2\r\nhi\r\n", []string{`data "+CMQTTRXTOPIC: 0,5" "to\r\nc"`, `data "+CMQTTRXPAYLOAD: 0,2" "hi"`}},
		{"MSUB", cell, "", "\r\n+MSUB: \"t\",5 byte,he\r\no\r\n", []string{`data "+MSUB: \"t\",5 byte," "he\r\no"`}},
		{"MQTTURC", cell, "", "\r\n+MQTTURC: \"publish\",0,0,\"t\",5,5,he\r\no\r\n", []string{`data "+MQTTURC: \"publish\",0,0,\"t\",5,5," "he\r\no"`}},
		{"LMQTTURC runs to the end of the line", cell, "", "\r\n+LMQTTURC: RECV,0,0,\"t\",{\"a\":1,\"b\":2}\r\n", []string{`line "+LMQTTURC: RECV,0,0,\"t\",{\"a\":1,\"b\":2}"`}},

		{"noise before ready", esp, "", "\x00\xfe\x01r\x8c\x02\r\n\r\nready\r\n", []string{"noise \"\\xfe\\x01r\\x8c\"", `line "ready"`}},
		{"control bytes around a line", cell, "", "\x00\x00OK\x00\r\n", []string{`line "OK"`}},
		{"a name in Chinese is no noise", esp, "", "+CWLAP:(3,\"码头\",-55)\r\n", []string{`line "+CWLAP:(3,\"码头\",-55)"`}},
		{"overlong line", esp, "", strings.Repeat("a", 30) + "\r\nOK\r\n", []string{fmt.Sprintf("overlong line %q", strings.Repeat("a", 24)), `line "OK"`}},
		{"too much data", esp, "", "+IPD,33:abc\r\nOK\r\n", []string{`oversize data "+IPD,33:"`, `line "abc"`, `line "OK"`}},
		{"absurd data", esp, "", "+IPD,99999999999999:abc\r\n", []string{`oversize data "+IPD,99999999999999:"`, `line "abc"`}},
	} {
		max := Limits{}
		if strings.HasPrefix(tt.name, "overlong") {
			max.MaxLine = 24
		}
		if strings.Contains(tt.name, "data") {
			max.MaxData = 32
		}
		for _, size := range []int{1, 2, 3, len(tt.text)} {
			s := NewScanner(max, tt.headers...)
			s.Expect([]byte(tt.sent))
			if got := scan(s, tt.text, size); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s, %d bytes at a time:\ngot  %s\nwant %s", tt.name, size, got, tt.want)
			}
		}
	}
}

func TestFlush(t *testing.T) {
	for _, tt := range []struct {
		name, sent, text, want string
	}{
		{"half a line", "", "\r\n+CS", `cut off "+CS"`},
		{"data that never comes", "", "+IPD,100:abc\r\nOK\r\n", `cut off "+IPD,100:" "abc\r\nOK\r\n"`},
		{"half an echo", "AT+CIFSR", "AT+CI", `cut off "AT+CI"`},
		{"nothing", "AT", "\r\nOK\r\n", ""},
		{"a prompt is whole", "", "> ", ""},
	} {
		s := NewScanner(Limits{}, EspressifHeaders()...)
		s.Expect([]byte(tt.sent))
		scan(s, tt.text, len(tt.text))
		if s.Idle() != (tt.want == "") {
			t.Errorf("%s: idle %v", tt.name, s.Idle())
		}
		e, ok := s.Flush()
		if ok != (tt.want != "") || ok && e.String() != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.name, e, ok, tt.want)
		}
		if got := scan(s, "\r\nOK\r\n", 99); !reflect.DeepEqual(got, []string{`line "OK"`}) {
			t.Errorf("%s: afterwards %s", tt.name, got)
		}
	}
}

func TestRaw(t *testing.T) {
	s := NewScanner(Limits{}, CellularHeaders()...)
	var events []string
	s.Scan([]byte("\r\nCONNECT\r\n\x00raw\r\n> "), func(e Event) {
		events = append(events, e.String())
		if e.Text == "CONNECT" {
			s.Raw(true)
		}
	})
	if want := []string{`line "CONNECT"`, `data "" "\n\x00raw\r\n> "`}; !reflect.DeepEqual(events, want) {
		t.Errorf("got %s, want %s", events, want)
	}
	if _, ok := s.Flush(); ok {
		t.Error("raw mode has something half received")
	}
	s.Raw(false)
	if got := scan(s, "OK\r\n", 1); !reflect.DeepEqual(got, []string{`line "OK"`}) {
		t.Errorf("after raw: %s", got)
	}
}

// FuzzScanner: what comes out does not depend on how the bytes were cut, is
// bounded, and nothing keeps the scanner from hearing the next OK after Flush.
func FuzzScanner(f *testing.F) {
	for _, text := range []string{
		"AT+X\r\r\n\r\nOK\r\n> ", "+IPD,0,5:hello", "+QMTRECV: 0,0,\"t\",5,\r\n\"ab", "+QIRD: 4\r\nab",
		"\x00\xff\r>", "+MQTTURC: \"publish\",0,0,\"t\",5,5,he", "+CIPRECVDATA:4,a",
	} {
		f.Add([]byte(text), []byte("AT+X\r\n"), 3)
	}
	f.Fuzz(func(t *testing.T, text, sent []byte, size int) {
		if size < 1 {
			return
		}
		headers := append(EspressifHeaders(), CellularHeaders()...)
		max := Limits{MaxLine: 64, MaxData: 128}
		whole, pieces := NewScanner(max, headers...), NewScanner(max, headers...)
		whole.Expect(sent)
		pieces.Expect(sent)
		whole.Scan(text, func(e Event) {
			if len(e.Data) > max.MaxData || len(e.Text) > max.MaxData {
				t.Errorf("%q: unbounded event %s", text, e)
			}
		})
		again := NewScanner(max, headers...)
		again.Expect(sent)
		one, many := scan(again, string(text), len(text)+1), scan(pieces, string(text), size)
		if !reflect.DeepEqual(one, many) {
			t.Errorf("%q in pieces of %d:\n%s\nat once:\n%s", text, size, many, one)
		}
		e, _ := whole.Flush()
		if len(e.Data) > max.MaxData || len(e.Text) > max.MaxLine+max.MaxData {
			t.Errorf("%q: unbounded remainder %s", text, e)
		}
		if got := scan(whole, "\r\nOK\r\n", 1); !reflect.DeepEqual(got, []string{`line "OK"`}) {
			t.Errorf("%q: then OK was heard as %s", text, got)
		}
	})
}
