package quectel

import (
	"fmt"
	"strings"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// urcs are the beginnings of lines that the module says of its own accord. The
// answers that begin like them are claimed by whoever asks.
var urcs = []string{
	"+QIURC:", "+QIOPEN:", "+QSSLURC:", "+QSSLOPEN:", "+QMTSTAT:", "+QMTRECV:", "+QMTOPEN:", "+QMTCONN:", "+QMTSUB:", "+QMTUNS:",
	"+QMTPUB:", "+QMTPUBEX:", "+QMTDISC:", "+QMTCLOSE:", "+QMTPING:", "+CREG:", "+CGREG:", "+CEREG:",
	"+CFUN:", "+CPIN:", "+QUSIM:", "+QIND:", "+CGEV:", "+NITZ:", "+CTZV:", "+QSIMSTAT:", "+CMTI:",
}

// Unsolicited reports whether a line is no answer.
func Unsolicited(line string) bool {
	for _, prefix := range urcs {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	switch line {
	case "RDY", "POWERED DOWN", "NORMAL POWER DOWN", "RING", "NO CARRIER":
		return true
	}
	return false
}

// Restarted reports whether a line tells of a restart.
func Restarted(line string) bool {
	return line == "RDY" || line == "POWERED DOWN" || line == "NORMAL POWER DOWN"
}

// event takes what the module says unasked. It runs on the goroutine that
// reads the port.
func (m *Module) event(e at.Event, restart bool) {
	if restart {
		m.online.Store(false)
		m.mu.Lock()
		m.signed = [maxClients]bool{}
		m.mu.Unlock()
		m.loseAll(modem.ErrRestart)
		return
	}
	switch {
	case strings.HasPrefix(e.Text, "+QMTRECV:"):
		m.mail(e)
	case e.Kind != at.Line:
		m.log.Warn("lost on the line", "event", e.Kind.String(), "bytes", len(e.Data))
	case strings.HasPrefix(e.Text, "+QIURC:"):
		m.socketEvent(e.Text, "+QIURC:")
	case strings.HasPrefix(e.Text, "+QSSLURC:"):
		m.socketEvent(e.Text, "+QSSLURC:")
	case strings.HasPrefix(e.Text, "+QMTSTAT:"):
		m.sessionEvent(e.Text)
	}
}

// socketEvent takes +QIURC: "recv",<id>, "closed",<id> and "pdpdeact",<context>,
// and +QSSLURC: with the first two. The driver gives no number to both kinds.
func (m *Module) socketEvent(line, prefix string) {
	args, ok := modem.Fields(line, prefix)
	if !ok || len(args) < 2 {
		return
	}
	id, _ := args[1].Int()
	switch args[0].Text {
	case "recv":
		if s := m.sockets.Get(id); s != nil {
			s.fetcher.Poke()
		}
	case "closed":
		if s := m.sockets.Get(id); s != nil {
			s.fetcher.PeerClosed()
		}
	case "pdpdeact":
		m.online.Store(false)
		m.loseAll(fmt.Errorf("%w: the network took the data connection away", modem.ErrLost))
	}
}

// loseAll ends all connections and sessions.
func (m *Module) loseAll(err error) {
	m.mu.Lock()
	sessions := m.sessions
	m.mu.Unlock()
	for _, s := range m.sockets.All() {
		s.dead.Store(true)
		s.conn.Lose(err)
	}
	for _, s := range sessions {
		if s != nil {
			s.End(err)
		}
	}
}
