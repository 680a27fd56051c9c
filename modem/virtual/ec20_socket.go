package virtual

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// socketCommands are the EC20's TCP, UDP and TLS sockets [EC2x TCP/IP note].
var socketCommands = cellTable{
	"+QICSGP":     {set: (*cellTurn).qicsgp, testText: `+QICSGP: (1-16),(1,2,3),<APN>,<username>,<password>,(0-3)`},
	"+QIACT":      {set: (*cellTurn).qiact, query: (*cellTurn).qiactive, testText: "+QIACT: (1-16)"},
	"+QIDEACT":    {set: (*cellTurn).qideact, testText: "+QIDEACT: (1-16)"},
	"+QIDNSCFG":   {set: (*cellTurn).qidnscfg},
	"+QIDNSGIP":   {set: (*cellTurn).qidnsgip, testText: "+QIDNSGIP: (1-16),<hostname>"},
	"+QPING":      {set: (*cellTurn).qping, testText: "+QPING: (1-16),<host>,(1-255),(1-10)"},
	"+QIOPEN":     {set: (*cellTurn).qiopen, testText: `+QIOPEN: (1-16),(0-11),"TCP/UDP/TCP LISTENER/UDP SERVICE","<IP_address>/<domain_name>",<remote_port>,<local_port>,(0-2)`},
	"+QICLOSE":    {set: func(t *cellTurn) cellResult { return t.closeSocket(qiFamily) }, testText: "+QICLOSE: (0-11),(0-65535)"},
	"+QISTATE":    {query: (*cellTurn).qistateAll, execute: (*cellTurn).qistateAll, set: (*cellTurn).qistate},
	"+QISEND":     {set: func(t *cellTurn) cellResult { return t.sendSocket(qiFamily) }, testText: "+QISEND: (0-11),(0-1460)"},
	"+QISENDEX":   {set: (*cellTurn).qisendex, testText: "+QISENDEX: (0-11),<hex_string>"},
	"+QIRD":       {set: func(t *cellTurn) cellResult { return t.readSocket(qiFamily) }, testText: "+QIRD: (0-11),(0-1500)"},
	"+QISDE":      keep("+QISDE", 1, 0, 1),
	"O":           {execute: (*cellTurn).resume, set: (*cellTurn).resume},
	"+QIGETERROR": {execute: (*cellTurn).qigeterror, test: accept},
	"+QSSLOPEN":   {set: (*cellTurn).qsslopen, testText: `+QSSLOPEN: (1-16),(0-5),(0-11),<serveraddr>,<server_port>,(0-2)`},
	"+QSSLCLOSE":  {set: func(t *cellTurn) cellResult { return t.closeSocket(qsslFamily) }, testText: "+QSSLCLOSE: (0-11),(0-65535)"},
	"+QSSLSEND":   {set: func(t *cellTurn) cellResult { return t.sendSocket(qsslFamily) }, testText: "+QSSLSEND: (0-11),(0-1460)"},
	"+QSSLRECV":   {set: func(t *cellTurn) cellResult { return t.readSocket(qsslFamily) }, testText: "+QSSLRECV: (0-11),(1-1500)"},
}

// A socketFamily is one of the two sets of sockets, each with its numbers.
type socketFamily struct {
	base int // of the numbers, in our table and towards the observer
	open string
	urc  string
	send string
	read string
}

var (
	qiFamily   = &socketFamily{10, "+QIOPEN", "+QIURC", "+QISEND", "+QIRD"}
	qsslFamily = &socketFamily{30, "+QSSLOPEN", "+QSSLURC", "+QSSLSEND", "+QSSLRECV"}
)

// Bounds of a socket.
const (
	maxSockets    = 12
	maxSocketHost = 150
	maxSend       = 1460
	maxRead       = 1500
	maxBuffered   = 10 << 10 // received and not fetched; more is left to TCP
)

// How a socket hands over what it receives.
const (
	bufferMode = iota
	pushMode
	transparentMode
)

// A qiSocket is one socket of an EC20.
type qiSocket struct {
	c        *cellular
	family   *socketFamily
	id, pdp  int
	kind     string // TCP or UDP
	host     string
	port     int
	mode     int
	link     *cellLink // nil while opening
	dead     bool      // the other side closed it, the host has not
	buf      []byte
	told     bool // a "recv" is out and not everything was fetched since
	received int
	fetched  int
	sent     int
	relaying bool // in transparent mode, at work
}

func (s *qiSocket) urc(format string, args ...any) {
	s.c.urc(s.family.urc + ": " + fmt.Sprintf(format, args...))
}

// socket reads the number of a socket and finds it; nil if there is none.
func (t *cellTurn) socket(f *socketFamily) *qiSocket {
	id := t.number(0, maxSockets-1)
	return t.ec20.sockets[f.base+id]
}

func (t *cellTurn) qicsgp() cellResult {
	id := t.number(1, maxContexts)
	if t.end() {
		p := t.flash.contexts[id]
		kind := 1 + slices.Index([]string{"IP", "IPV6", "IPV4V6"}, p.kind)
		t.say(fmt.Sprintf(`+QICSGP: %d,"%s","%s","%s",%d`, max(1, kind), p.apn, p.user, p.key, p.auth))
		return cellOK
	}
	kind := t.number(1, 3)
	p := pdpContext{[]string{"IP", "IPV6", "IPV4V6"}[kind-1], t.textOr("", 127), t.textOr("", 127), t.textOr("", 127), t.numberOr(0, 0, 3)}
	if !t.end() {
		return cellError
	}
	t.flash.contexts[id] = p
	return cellOK
}

// What activating and deactivating take.
const (
	activateTime   = 500 * time.Millisecond
	deactivateTime = 300 * time.Millisecond
)

func (t *cellTurn) qiact() cellResult {
	id := t.number(1, maxContexts)
	if _, known := t.flash.contexts[id]; !t.end() || !known {
		return cellError
	}
	if !t.l.sleep(activateTime) {
		return cellSilent
	}
	if !t.served() {
		t.ec20.lastErr = qiNoContext
		return cellError
	}
	t.active[id] = true
	return cellOK
}

func (t *cellTurn) qiactive() cellResult {
	for _, id := range slices.Sorted(maps.Keys(t.active)) {
		if t.active[id] {
			kind := max(1, 1+slices.Index([]string{"IP", "IPV6", "IPV4V6"}, t.flash.contexts[id].kind))
			t.say(fmt.Sprintf(`+QIACT: %d,1,%d,"%s"`, id, kind, pdpAddress))
		}
	}
	return cellOK
}

func (t *cellTurn) qideact() cellResult {
	id := t.number(1, maxContexts)
	if !t.end() {
		return cellError
	}
	if !t.l.sleep(deactivateTime) {
		return cellSilent
	}
	delete(t.active, id)
	for key, s := range t.ec20.sockets {
		if s.pdp == id {
			s.drop(key, "the module closed it")
		}
	}
	return cellOK
}

func (t *cellTurn) qidnscfg() cellResult {
	id := t.number(1, maxContexts)
	if t.end() {
		t.say(fmt.Sprintf(`+QIDNSCFG: %d,"%s","%s"`, id, t.ec20.dns[0], t.ec20.dns[1]))
		return cellOK
	}
	dns := [2]string{t.text(1, 64), t.textOr(t.ec20.dns[1], 64)}
	if !t.end() {
		return cellError
	}
	t.ec20.dns = dns
	return cellOK
}

func (t *cellTurn) qidnsgip() cellResult {
	id := t.number(1, maxContexts)
	host := t.text(1, maxSocketHost)
	if !t.end() {
		return cellError
	}
	c, l := t.cellular, t.l
	l.task(func() {
		if !c.active[id] {
			c.urc(fmt.Sprintf(`+QIURC: "dnsgip",%d`, qiNoContext))
			return
		}
		ip, _, err, ok := l.lookup(host, 1)
		switch {
		case !ok:
		case err != nil:
			c.ec20.lastErr = qiNoName
			c.urc(fmt.Sprintf(`+QIURC: "dnsgip",%d`, qiNoName))
		default:
			c.urc(`+QIURC: "dnsgip",0,1,600`)
			c.urc(fmt.Sprintf(`+QIURC: "dnsgip","%s"`, ip))
		}
	})
	return cellOK
}

// qiopen is AT+QIOPEN=<context>,<id>,"<kind>","<host>",<port>[,<local port>[,<mode>]].
func (t *cellTurn) qiopen() cellResult {
	s := &qiSocket{c: t.cellular, family: qiFamily, pdp: t.number(1, maxContexts), id: t.number(0, maxSockets-1)}
	s.kind = strings.ToUpper(t.text(1, 16))
	s.host, s.port = t.text(1, maxSocketHost), t.number(0, 65535)
	t.numberOr(0, 0, 65535)
	s.mode = t.numberOr(bufferMode, bufferMode, transparentMode)
	listens := s.kind == "TCP LISTENER" || s.kind == "UDP SERVICE"
	if !t.end() || !listens && (s.kind != "TCP" && s.kind != "UDP" || s.port == 0) {
		return cellError
	}
	if listens {
		t.note("QIOPEN: %s is not made here: nobody could reach a module behind a carrier's network", s.kind)
		return t.opened(s, qiUnsupported)
	}
	return t.openSocket(s, nil)
}

// qsslopen is AT+QSSLOPEN=<context>,<TLS context>,<id>,"<host>",<port>[,<mode>].
func (t *cellTurn) qsslopen() cellResult {
	s := &qiSocket{c: t.cellular, family: qsslFamily, kind: "TCP", pdp: t.number(1, maxContexts)}
	number := t.number(0, tlsContexts-1)
	s.id = t.number(0, maxSockets-1)
	s.host, s.port = t.text(1, maxSocketHost), t.number(1, 65535)
	s.mode = t.numberOr(bufferMode, bufferMode, transparentMode)
	if !t.end() {
		return cellError
	}
	secure, err := t.secure(true, number, s.host)
	if err != nil {
		t.note("QSSLOPEN: %v", err)
		return t.opened(s, qiNotReached)
	}
	return t.openSocket(s, secure)
}

// opened says how opening went.
func (t *cellTurn) opened(s *qiSocket, code int) cellResult {
	s.c.ec20.lastErr = code
	s.c.urc(fmt.Sprintf("%s: %d,%d", s.family.open, s.id, code))
	return cellOK
}

func (t *cellTurn) openSocket(s *qiSocket, secure *tls.Config) cellResult {
	key := s.family.base + s.id
	_, used := t.ec20.sockets[key]
	switch {
	case used:
		return t.opened(s, qiInUse)
	case !t.active[s.pdp]:
		return t.opened(s, qiNoContext)
	}
	t.ec20.sockets[key] = s
	to := cellTarget{s.kind, key, s.host, s.port, secure, t.cause}
	if s.mode != transparentMode {
		t.l.task(func() {
			if err, ok := s.open(t.l, to); ok {
				t.opened(s, qiCode(err))
			}
		})
		return cellOK
	}
	err, ok := s.open(t.l, to)
	switch {
	case !ok:
		return cellSilent
	case err != nil:
		t.ec20.lastErr = qiCode(err)
		return cellError
	}
	return t.relay(s)
}

// open connects. It waits without the lock; ok is false when nobody wants to
// know any more.
func (s *qiSocket) open(l *life, to cellTarget) (err error, ok bool) {
	sockets, key := s.c.ec20.sockets, to.num
	k, err, ok := s.c.connect(l, to)
	if !ok {
		return err, false
	}
	if sockets[key] != s { // closed meanwhile
		if k != nil {
			k.close("the module closed it")
		}
		return nil, false
	}
	if err != nil {
		delete(sockets, key)
		return err, true
	}
	s.link = k
	room := func() bool {
		return s.c.roomForURCs(l) && l.await(func() bool { return len(s.buf) < maxBuffered || k.closed })
	}
	k.serve(room, s.take, func(error) {
		s.dead = true
		if s.mode != transparentMode {
			s.urc(`"closed",%d`, s.id)
		}
	})
	return nil, true
}

// take hands over what arrived, as the mode has it.
func (s *qiSocket) take(b []byte) {
	s.received += len(b)
	switch {
	case s.mode == pushMode:
		for chunk := range slices.Chunk(b, maxSend) {
			s.fetched += len(chunk)
			s.urc("\"recv\",%d,%d\r\n%s", s.id, len(chunk), chunk)
		}
	case s.relaying:
		s.fetched += len(b)
		s.link.l.print(string(b))
	default:
		s.buf = append(s.buf, b...)
		if !s.told && s.mode == bufferMode {
			s.told = true
			s.urc(`"recv",%d`, s.id)
		}
	}
}

// drop ends a socket without a word to the host.
func (s *qiSocket) drop(key int, why string) {
	delete(s.c.ec20.sockets, key)
	s.dead = true
	if s.link != nil {
		s.link.close(why)
	}
}

// socketsLost ends all sockets because the network took the contexts away.
func (c *cellular) socketsLost(l *life) {
	if len(c.ec20.sockets) == 0 {
		return
	}
	if c.served() { // the link alone is gone
		for _, key := range slices.Sorted(maps.Keys(c.ec20.sockets)) {
			if s := c.ec20.sockets[key]; s.link != nil && !s.dead {
				s.dead = true
				s.link.close("the network took it away")
				s.urc(`"closed",%d`, s.id)
			}
		}
		return
	}
	contexts := make(map[int]bool)
	for key, s := range c.ec20.sockets {
		contexts[s.pdp] = true
		s.drop(key, "the network took it away")
	}
	for _, id := range slices.Sorted(maps.Keys(contexts)) {
		c.urc(fmt.Sprintf(`+QIURC: "pdpdeact",%d`, id))
	}
}

// closeSocket ends a socket. One that is not open is closed as well.
func (t *cellTurn) closeSocket(f *socketFamily) cellResult {
	s := t.socket(f)
	t.numberOr(10, 0, 65535)
	if !t.end() {
		return cellError
	}
	if s == nil {
		return cellOK
	}
	delete(t.ec20.sockets, f.base+s.id)
	if s.link != nil && !s.dead {
		s.link.finish()
	}
	s.dead = true
	return cellOK
}

func (t *cellTurn) sendSocket(f *socketFamily) cellResult {
	s := t.socket(f)
	want := t.numberOr(-1, 0, maxSend)
	if !t.end() || s == nil || s.link == nil {
		return cellError
	}
	if want == 0 {
		unsent := len(s.link.out)
		t.say(fmt.Sprintf("%s: %s", f.send, csv(s.sent, s.sent-unsent, unsent)))
		return cellOK
	}
	if s.dead || s.mode == transparentMode {
		return cellError
	}
	echo := t.cellLine.echo && t.keptOr("+QISDE", 1) == 1
	data, how := t.prompt(cellPrompt, want, maxSend, 0, echo)
	switch how {
	case promptOver:
		return cellSilent
	case promptEscaped:
		return cellOK
	}
	return s.send(data)
}

// send hands data to the network. SEND OK says no more than that it was taken.
func (s *qiSocket) send(data []byte) cellResult {
	switch {
	case s.dead || s.link.closed:
		return cellError
	case len(s.link.out)+len(data) > maxLinkOut:
		return cellResult{word: "SEND FAIL"}
	}
	s.sent += len(data)
	if s.c.strikes(faultSendLost) {
		s.dead = true
		s.link.sever(data)
		s.urc(`"closed",%d`, s.id)
	} else {
		s.link.cause = s.c.cause
		s.link.send(data)
	}
	return cellResult{word: "SEND OK"}
}

func (t *cellTurn) qisendex() cellResult {
	s := t.socket(qiFamily)
	data, err := hex.DecodeString(t.text(2, 512))
	if !t.end() || err != nil || s == nil || s.link == nil || s.dead {
		return cellError
	}
	return s.send(data)
}

// readSocket fetches what was buffered; length 0 asks how much there is.
func (t *cellTurn) readSocket(f *socketFamily) cellResult {
	s := t.socket(f)
	most := t.numberOr(maxRead, 0, maxRead)
	if !t.end() || s == nil || s.mode != bufferMode {
		return cellError
	}
	if most == 0 && f == qiFamily {
		t.say(f.read + ": " + csv(s.received, s.fetched, len(s.buf)))
		return cellOK
	}
	n := min(most, len(s.buf))
	t.say(fmt.Sprintf("%s: %d", f.read, n))
	if n > 0 {
		t.say(string(s.buf[:n]))
	}
	s.buf = bytes.Clone(s.buf[n:])
	s.fetched += n
	if len(s.buf) == 0 {
		s.told = false
	}
	return cellOK
}

func (t *cellTurn) qigeterror() cellResult {
	t.say(fmt.Sprintf(`+QIGETERROR: %d,"%s"`, t.ec20.lastErr, qiErrors[t.ec20.lastErr]))
	return cellOK
}

// state is the line of a socket: 1 opening, 2 connected, 4 closing.
func (s *qiSocket) state() string {
	state, ip, local := 1, s.host, 0
	if s.link != nil {
		state, ip, local = 2, s.link.ip, s.link.port
	}
	if s.dead {
		state = 4
	}
	return fmt.Sprintf(`+QISTATE: %d,"%s","%s",%d,%d,%d,%d,0,%d,"uart1"`, s.id, s.kind, ip, s.port, local, state, s.pdp, s.mode)
}

func (t *cellTurn) qistateAll() cellResult { return t.states(func(*qiSocket) bool { return true }) }

// qistate is AT+QISTATE=0,<context> or =1,<id>.
func (t *cellTurn) qistate() cellResult {
	by := t.number(0, 1)
	n := t.number(0, maxContexts)
	if !t.end() {
		return cellError
	}
	return t.states(func(s *qiSocket) bool { return by == 0 && s.pdp == n || by == 1 && s.id == n })
}

func (t *cellTurn) states(want func(*qiSocket) bool) cellResult {
	for _, key := range slices.Sorted(maps.Keys(t.ec20.sockets)) {
		if s := t.ec20.sockets[key]; s.family == qiFamily && want(s) {
			t.say(s.state())
		}
	}
	return cellOK
}

// The guard times of +++ [EC2x TCP/IP note].
const escapeGuard = time.Second

// relay is transparent mode: what the host writes goes to the peer and what
// the peer sends goes to the host, until the peer closes or the host writes
// +++ with silence around it.
func (t *cellTurn) relay(s *qiSocket) cellResult {
	t.frame(t.l, "CONNECT")
	s.relaying = true
	defer func() { s.relaying = false }()
	heard := time.Now()
	t.l.print(string(s.buf))
	s.buf = nil
	for {
		d := &cellData{want: rawData, most: maxTypeahead, heard: heard}
		t.data = d
		ahead := t.ahead
		t.ahead = nil
		if len(ahead) > 0 {
			t.receive(t.l, ahead)
		}
		if !t.l.await(func() bool { return len(d.buf) > 0 || s.dead || s.link.closed }) {
			return cellSilent
		}
		t.data = nil
		if s.dead || s.link.closed {
			return cellResult{word: "NO CARRIER"}
		}
		if t.isEscape(d) {
			return cellOK
		}
		heard = d.heard
		s.sent += len(d.buf)
		s.link.cause = s.c.cause
		s.link.send(d.buf)
	}
}

// isEscape reports whether the host wrote +++ and nothing else around it. It
// waits for the silence after it.
func (t *cellTurn) isEscape(d *cellData) bool {
	if !strings.HasPrefix("+++", string(d.buf)) || d.quietBefore < escapeGuard {
		return false
	}
	for {
		n := len(d.buf)
		t.data = d
		ok := t.l.wait(func(ctx context.Context) {
			timer := time.NewTimer(escapeGuard)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		})
		t.data = nil
		switch {
		case !ok:
			return false
		case len(d.buf) == n:
			return string(d.buf) == "+++"
		case !strings.HasPrefix("+++", string(d.buf)):
			return false
		}
	}
}

// resume goes back to transparent mode.
func (t *cellTurn) resume() cellResult {
	for _, s := range t.ec20.sockets {
		if s.mode == transparentMode && s.link != nil && !s.dead {
			return t.relay(s)
		}
	}
	return cellResult{word: "NO CARRIER"}
}
