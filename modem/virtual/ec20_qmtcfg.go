package virtual

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A qmtConfig is what AT+QMTCFG sets for one client. It is forgotten at a
// reset and kept when the client closes [EC2x MQTT note §2].
type qmtConfig struct {
	version, pdp         int
	ssl, sslContext      int
	keepAlive, clean     int
	packetTime, retries  int
	notice               int
	will                 qmtWill
	buffered, showLength int // recv/mode
	hexSend, hexReceive  int // send/mode, dataformat
	echo                 int // view/mode
	editLimit, editTime  int // edit/timeout
	ping                 int
	ali                  *[3]string // ProductKey, DeviceName, DeviceSecret
}

// A qmtWill is a last will.
type qmtWill struct {
	on, qos, retain int
	topic, message  string
}

func defaultQMT(quirks map[string]bool) qmtConfig {
	c := qmtConfig{version: 4, pdp: 1, keepAlive: 120, clean: 1, packetTime: 5, retries: 3, editLimit: 1, editTime: 30, ping: 5}
	if quirks["mqtt-3.1"] {
		c.version = 3
	}
	c.echo = number(quirks["payload-echo"])
	return c
}

// A qmtSetting is one name of AT+QMTCFG. set reads its values into a copy of
// the configuration, nil asks for data as well: see willex; show writes them,
// "" shows nothing.
type qmtSetting struct {
	name string
	test string
	set  func(a *cellArgs, c *qmtConfig)
	show func(c *qmtConfig) string
}

// Bounds of what QMTCFG takes, in bytes.
const (
	maxWillText  = 256
	maxAliText   = 256
	qmtClients   = 6
	maxQMTTopic  = 256
	maxQMTHost   = 100
	maxQMTClient = 256
	maxQMTLogin  = 512
)

// qmtSettings are the names that an EC20 knows, in the order of AT+QMTCFG=?.
var qmtSettings = []qmtSetting{
	{"version", "(0-5),(3,4)",
		func(a *cellArgs, c *qmtConfig) { c.version = a.number(3, 4) },
		func(c *qmtConfig) string { return csv(c.version) }},
	{"pdpcid", "(0-5),(1-16)",
		func(a *cellArgs, c *qmtConfig) { c.pdp = a.number(1, maxContexts) },
		func(c *qmtConfig) string { return csv(c.pdp) }},
	{"ssl", "(0-5),(0,1),(0-5)",
		func(a *cellArgs, c *qmtConfig) {
			c.ssl, c.sslContext = a.number(0, 1), a.numberOr(c.sslContext, 0, tlsContexts-1)
		},
		func(c *qmtConfig) string {
			if c.ssl == 0 {
				return "0"
			}
			return csv(c.ssl, c.sslContext)
		}},
	{"keepalive", "(0-5),(0-3600)",
		func(a *cellArgs, c *qmtConfig) { c.keepAlive = a.number(0, 3600) },
		func(c *qmtConfig) string { return csv(c.keepAlive) }},
	{"session", "(0-5),(0,1)",
		func(a *cellArgs, c *qmtConfig) { c.clean = a.number(0, 1) },
		func(c *qmtConfig) string { return csv(c.clean) }},
	{"timeout", "(0-5),(1-60),(0-10),(0,1)",
		func(a *cellArgs, c *qmtConfig) {
			c.packetTime, c.retries, c.notice = a.number(1, 60), a.number(0, 10), a.number(0, 1)
		},
		func(c *qmtConfig) string { return csv(c.packetTime, c.retries, c.notice) }},
	{"will", `(0-5),(0,1),(0-2),(0,1),"will_topic","will_message"`, setWill, showWill},
	{"willex", `(0-5),(0,1),(0-2),(0,1),"will_topic",(0-256)`, nil, showWill},
	{"recv/mode", "(0-5),(0,1),(0,1)",
		func(a *cellArgs, c *qmtConfig) {
			c.buffered, c.showLength = a.number(0, 1), a.numberOr(c.showLength, 0, 1)
		},
		func(c *qmtConfig) string { return csv(c.buffered, c.showLength) }},
	{"send/mode", "(0-5),(0,1)",
		func(a *cellArgs, c *qmtConfig) { c.hexSend = a.number(0, 1) },
		func(c *qmtConfig) string { return csv(c.hexSend) }},
	{"dataformat", "(0-5),(0,1),(0,1)",
		func(a *cellArgs, c *qmtConfig) { c.hexSend, c.hexReceive = a.number(0, 1), a.number(0, 1) },
		func(c *qmtConfig) string { return csv(c.hexSend, c.hexReceive) }},
	{"view/mode", "(0-5),(0,1)",
		func(a *cellArgs, c *qmtConfig) { c.echo = a.number(0, 1) },
		func(c *qmtConfig) string { return csv(c.echo) }},
	{"edit/timeout", "(0-5),(0,1),(1-180)",
		func(a *cellArgs, c *qmtConfig) {
			c.editLimit, c.editTime = a.number(0, 1), a.numberOr(c.editTime, 1, 180)
		},
		func(c *qmtConfig) string { return csv(c.editLimit, c.editTime) }},
	{"qmtping", "(0-5),(5-60)",
		func(a *cellArgs, c *qmtConfig) { c.ping = a.number(5, 60) },
		func(c *qmtConfig) string { return csv(c.ping) }},
	{"aliauth", `(0-5),"product key","device name","device secret"`,
		func(a *cellArgs, c *qmtConfig) {
			c.ali = &[3]string{a.text(1, maxAliText), a.text(1, maxAliText), a.text(1, maxAliText)}
		},
		func(c *qmtConfig) string {
			if c.ali == nil {
				return ""
			}
			return quoteList(c.ali[:]...)
		}},
}

// setWill reads <fg>[,<qos>,<retain>,"<topic>","<msg>"]: all of it or the
// first alone when it is switched off.
func setWill(a *cellArgs, c *qmtConfig) {
	w := qmtWill{on: a.number(0, 1)}
	if w.on == 1 || a.more() {
		w.qos, w.retain = a.number(0, 2), a.number(0, 1)
		w.topic, w.message = a.text(1, maxWillText), a.text(0, maxWillText)
	}
	c.will = w
}

func showWill(c *qmtConfig) string {
	w := c.will
	if w.on == 0 {
		return "0"
	}
	return csv(w.on, w.qos, w.retain) + "," + quoteList(w.topic, w.message)
}

// qmtcfg is AT+QMTCFG="<name>",<client>[,<values>]: without values it asks.
func (t *cellTurn) qmtcfg() cellResult {
	name := strings.ToLower(t.text(1, 32))
	q := t.qmtClient()
	i := slices.IndexFunc(qmtSettings, func(s qmtSetting) bool { return s.name == name })
	if t.failed || i < 0 {
		return cellError
	}
	s := qmtSettings[i]
	if !t.more() {
		if text := s.show(&q.cfg); text != "" {
			t.say(fmt.Sprintf(`+QMTCFG: "%s",%s`, s.name, text))
		}
		return cellOK
	}
	if s.set == nil {
		return t.willex(q)
	}
	cfg := q.cfg
	s.set(t.cellArgs, &cfg)
	if !t.end() {
		return cellError
	}
	q.cfg = cfg
	return cellOK
}

// willex is a will whose message is written after a prompt:
// <fg>[,<qos>,<retain>,"<topic>",<length>].
func (t *cellTurn) willex(q *qmtClient) cellResult {
	w := qmtWill{on: t.number(0, 1)}
	length := 0
	if w.on == 1 || t.more() {
		w.qos, w.retain = t.number(0, 2), t.number(0, 1)
		w.topic = t.text(1, maxWillText)
		length = t.length(0, maxWillText)
	}
	if !t.end() {
		return cellError
	}
	if length > 0 {
		data, how := t.prompt(cellPrompt, length, 0, time.Duration(q.cfg.editTime)*time.Second, q.cfg.echo == 1)
		switch how {
		case promptOver:
			return cellSilent
		case promptIdle:
			return cellError
		}
		w.message = string(data)
	}
	q.cfg.will = w
	return cellOK
}

func (t *cellTurn) qmtcfgTest() cellResult {
	for _, s := range qmtSettings {
		t.say(fmt.Sprintf(`+QMTCFG: "%s",%s`, s.name, s.test))
	}
	return cellOK
}
