package esp8266

import (
	"slices"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// spoken are the lines that the module says of its own accord and that are
// the same every time.
var spoken = []string{"WIFI CONNECTED", "WIFI GOT IP", "WIFI DISCONNECT", "DHCP TIMEOUT", "CONNECT", "CLOSED", "+QUITT", "+TIME_UPDATED"}

// disconnected is what the firmware's MQTT client says of its end. What follows
// may stick to it.
const disconnected = "+MQTTDISCONNECTED:0"

// Unsolicited reports whether a line is no answer.
func Unsolicited(line string) bool {
	if slices.Contains(spoken, line) || strings.HasPrefix(line, "+IPD,") {
		return true
	}
	for _, prefix := range []string{"+STA_", "+DIST_STA_IP:", "+LINK_CONN:", "+MQTTCONNECTED:", disconnected, "+MQTTSUBRECV:"} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	_, what, ok := ofLink(line)
	return ok && (what == "CONNECT" || what == "CLOSED")
}

// Restarted reports whether a line tells of a restart: the boot loader's, the
// firmware's, or its announcement.
func Restarted(line string) bool {
	return line == "ready" || line == "Will force to restart!!!" || strings.HasPrefix(line, "ets Jan  8 2013")
}

// ofLink splits "0,CLOSED".
func ofLink(line string) (id int, what string, ok bool) {
	number, what, found := strings.Cut(line, ",")
	if !found || len(number) != 1 || number[0] < '0' || number[0] >= '0'+maxLinks {
		return 0, "", false
	}
	return int(number[0] - '0'), what, true
}

// event takes what the module says unasked. It runs on the goroutine that
// reads the port.
func (m *Module) event(e at.Event, restart bool) {
	if restart {
		m.setOnline(false)
		m.loseAll(modem.ErrRestart)
		return
	}
	switch {
	case strings.HasPrefix(e.Text, "+MQTTSUBRECV:"):
		m.mail(e)
		return
	case strings.HasPrefix(e.Text, disconnected):
		m.sessionEvent()
		return
	case e.Kind == at.Data:
		m.received(e)
		return
	}
	if e.Kind == at.Oversize || e.Kind == at.Cut {
		m.log.Warn("data of a connection was lost", "event", e.Kind.String())
	}
	switch e.Text {
	case "WIFI GOT IP":
		m.setOnline(true)
	case "WIFI DISCONNECT", "DHCP TIMEOUT":
		m.setOnline(false)
	}
	if id, what, ok := ofLink(e.Text); ok && what == "CLOSED" {
		m.closed(id)
	}
	if rest, found := strings.CutPrefix(e.Text, "+IPD,"); found && e.Kind == at.Line {
		m.announced(rest)
	}
}

// received hands data to its connection: +IPD,<id>,<n>[,…]:
func (m *Module) received(e at.Event) {
	id, _, ok := ofLink(strings.TrimPrefix(e.Text, "+IPD,"))
	if !ok {
		m.log.Warn("data of no connection", "header", e.Text)
		return
	}
	if l := m.links.Get(id); l != nil {
		l.receive(e.Data)
	}
}

// announced tells a connection that the module keeps data for it:
// +IPD,<id>,<n>.
func (m *Module) announced(text string) {
	id, length, ok := ofLink(text)
	if _, err := strconv.Atoi(length); !ok || err != nil {
		return
	}
	if l := m.links.Get(id); l != nil {
		l.poke()
	}
}

// closed ends a connection that the peer closed.
func (m *Module) closed(id int) {
	if l := m.links.Get(id); l != nil {
		l.peerClosed()
	}
}

func (m *Module) loseAll(err error) {
	for _, l := range m.links.All() {
		l.lose(err)
	}
	if s := m.session.Load(); s != nil {
		s.End(err)
	}
}

func (m *Module) setOnline(online bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.online != online {
		m.online = online
		close(m.changed)
		m.changed = make(chan struct{})
	}
}
