package recording

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/at/transcript"
	"github.com/matou-iot/matou/internal/wording"
)

// readTranscript reads a recorded conversation, of which there are two kinds:
// packets themselves, as `matou packet capture` writes them, and a serial line,
// whose packets stand behind AT+CIPSEND=n and +IPD,n:. It reports false for a
// text that is neither; an error says why one that is holds no packet.
func readTranscript(b []byte) ([]Recording, bool, error) {
	t, err := transcript.Parse(string(b))
	if err != nil {
		return nil, false, nil
	}
	r := Recording{Name: "transcript"}
	var unknown []int
	events := make([]Event, 0, len(t.Lines))
	for _, l := range t.Lines {
		data, ok := l.Bytes()
		if !ok {
			unknown = append(unknown, l.Number)
			continue
		}
		e := Event{Data: data, From: Broker}
		if l.Mark == transcript.Host {
			e.From = Device
		}
		if l.Time >= 0 {
			e.At, r.Timed = l.Time, true
		} else if n := len(events); n > 0 {
			e.At = events[n-1].At
		}
		events = append(events, e)
	}
	for _, n := range unknown {
		r.note("line %d holds a placeholder: what was said there is not known", n)
	}
	if first := firstOf(events); begins(first) {
		r.Events = events
		return []Recording{r}, true, nil
	}
	s := serial{r: &r}
	for _, e := range events {
		if e.From == Device {
			s.host(e.Data, e.At)
		} else {
			s.module(e.Data, e.At)
		}
	}
	switch {
	case len(r.Events) > 0:
		return []Recording{r}, true, nil
	case s.ownClient != "":
		return nil, true, wording.Errorf("%w: the module makes the packets itself (%s), so the line does not carry them; `matou packet capture` between module and broker records them", ErrEmpty, s.ownClient)
	case s.commands > 0:
		return nil, true, wording.Errorf("%w: %d command lines to a module, and no AT+CIPSEND among them whose data is all there", ErrEmpty, s.commands)
	}
	return nil, false, nil
}

// firstOf is the first thing that the device said.
func firstOf(events []Event) []byte {
	for _, e := range events {
		if e.From == Device {
			return e.Data
		}
	}
	return nil
}

// A serial finds the packets on a serial line.
type serial struct {
	r           *Recording
	line        []byte // of the host, so far
	cr          bool   // the last byte was the \r that ended a command
	due         int    // bytes of data that the host still sends
	transparent bool   // everything is data
	in          []byte // of the module, so far
	counted     int    // bytes of data that the module still sends
	commands    int    // lines that begin with AT
	ownClient   string // a command by which the module does MQTT by itself
}

var (
	bareSend   = regexp.MustCompile(`(?i)^AT\+CIPSEND$`)
	mqttClient = regexp.MustCompile(`(?i)^AT\+(?:QMTCONN|LMQTTCONN|MQTTCONN|QMTOPEN|LMQTTOPEN)\b`)
	incoming   = regexp.MustCompile(`\+IPD,(?:\d,)?(\d+)(?:,"?[0-9a-fA-F.:]+"?,\d+)?:|\+QIURC: "recv",\d+,(\d+)\r\n|\+QIRD: (\d+)\r\n|\+CIPRECVDATA[,:](\d+)[:,]`)
)

const (
	maxCommand = 4096 // bytes of a line of the host that are kept
	maxHead    = 96   // bytes of the module that may be the beginning of a head
)

func (s *serial) add(from Side, b []byte, at time.Duration) {
	if len(b) > 0 {
		s.r.Events = append(s.r.Events, Event{At: at, From: from, Data: bytes.Clone(b)})
	}
}

// host takes what the host wrote.
func (s *serial) host(b []byte, at time.Duration) {
	if s.transparent && string(b) == "+++" {
		s.transparent = false
		return
	}
	for len(b) > 0 {
		if s.cr && b[0] == '\n' {
			s.cr, b = false, b[1:]
			continue
		}
		s.cr = false
		switch {
		case s.transparent:
			s.add(Device, b, at)
			return
		case s.due > 0:
			n := min(s.due, len(b))
			s.add(Device, b[:n], at)
			s.due, b = s.due-n, b[n:]
		case b[0] == '\r' || b[0] == '\n':
			s.cr = b[0] == '\r'
			s.command(string(bytes.TrimSpace(s.line)))
			s.line, b = nil, b[1:]
		default:
			if len(s.line) < maxCommand {
				s.line = append(s.line, b[0])
			}
			b = b[1:]
		}
	}
}

func (s *serial) command(line string) {
	if strings.HasPrefix(strings.ToUpper(line), "AT") {
		s.commands++
	}
	if m := send.FindStringSubmatch(line); m != nil {
		s.due, _ = strconv.Atoi(m[1]) // digits; too many of them announce nothing
		return
	}
	if bareSend.MatchString(line) {
		s.transparent = true
	}
	if m := mqttClient.FindString(line); m != "" && s.ownClient == "" {
		s.ownClient = m
	}
}

// module takes what the module wrote.
func (s *serial) module(b []byte, at time.Duration) {
	if bytes.Contains(b, []byte("ERROR")) && s.counted == 0 {
		s.due, s.transparent = 0, false // it did not want the data
	}
	s.in = append(s.in, b...)
	for len(s.in) > 0 {
		if s.counted > 0 {
			n := min(s.counted, len(s.in))
			s.add(Broker, s.in[:n], at)
			s.counted, s.in = s.counted-n, s.in[n:]
			continue
		}
		m := incoming.FindSubmatchIndex(s.in)
		if m == nil {
			s.talk(at)
			return
		}
		for g := 2; g < len(m); g += 2 {
			if m[g] >= 0 {
				s.counted, _ = strconv.Atoi(string(s.in[m[g]:m[g+1]]))
			}
		}
		s.in = s.in[m[1]:]
	}
}

// talk passes over what is no data. In transparent mode all of it is, but for
// the answer to the command that began it.
func (s *serial) talk(at time.Duration) {
	if s.transparent {
		b := s.in
		if i := bytes.LastIndexByte(b, '>'); i >= 0 && bytes.Contains(b[:i], []byte("OK")) {
			b = b[i+1:]
		}
		s.add(Broker, b, at)
		s.in = nil
		return
	}
	s.in = bytes.Clone(s.in[max(0, len(s.in)-maxHead):])
}
