package virtual

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/modem/virtual/onboard"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// qmtCommands are the EC20's MQTT commands [EC2x&EG9x&EM05 MQTT note V1.1].
var qmtCommands = cellTable{
	"+QMTCFG": {set: (*cellTurn).qmtcfg, test: (*cellTurn).qmtcfgTest},
	"+QMTOPEN": {set: (*cellTurn).qmtopen, query: (*cellTurn).qmtopened,
		testText: `+QMTOPEN: (0-5),"hostname",(1-65535)`},
	"+QMTCLOSE": {set: (*cellTurn).qmtclose, testText: "+QMTCLOSE: (0-5)"},
	"+QMTCONN":  {set: (*cellTurn).qmtconn, query: (*cellTurn).qmtconnected, testText: `+QMTCONN: (0-5),"clientid","username","password"`},
	"+QMTDISC":  {set: (*cellTurn).qmtdisc, testText: "+QMTDISC: (0-5)"},
	"+QMTSUB":   {set: (*cellTurn).qmtsub, testText: `+QMTSUB: (0-5),<msgid>,list of ["topic",qos]`},
	"+QMTUNS":   {set: (*cellTurn).qmtuns, testText: `+QMTUNS: (0-5),<msgid>,list of ["topic"]`},
	"+QMTPUB":   {set: (*cellTurn).qmtpub, testText: `+QMTPUB: (0-5),<msgid>,(0-2),(0,1),"topic"`},
	"+QMTPUBEX": {set: (*cellTurn).qmtpubex, testText: `+QMTPUBEX: (0-5), <msgid>,(0-2),(0,1),"topic","length"`},
	"+QMTRECV":  {set: (*cellTurn).qmtrecv, query: (*cellTurn).qmtstored, testText: "+QMTRECV: (0-5),(0-4)"},
}

// The results of +QMTOPEN.
const (
	qmtOpened     = 0
	qmtInUse      = 2
	qmtNoContext  = 3
	qmtNoName     = 4
	qmtNoNetwork  = 5
	qmtWindow     = 5 // packets that may await their answers [EC2x MQTT note]
	maxQMTTopics  = 8 // in one SUBSCRIBE
	qmtStoreSlots = 5
)

// A qmtClient is one of the six clients of an EC20.
type qmtClient struct {
	*cellMQTT
	cfg   qmtConfig
	store [qmtStoreSlots]*packet.Publish // in mode 1: what waits to be fetched
	names map[uint16]string              // the command that sent a message; at most qmtWindow and one
}

func newQMT(c *cellular, idx int) *qmtClient {
	q := &qmtClient{cellMQTT: &cellMQTT{c: c, idx: idx}, cfg: defaultQMT(c.quirks), names: make(map[uint16]string)}
	q.told = q.event
	return q
}

// qmtClient reads the number of a client.
func (t *cellTurn) qmtClient() *qmtClient { return t.ec20.qmt[t.number(0, qmtClients-1)] }

func (t *cellTurn) qmtopen() cellResult {
	q := t.qmtClient()
	host, port := t.text(1, maxQMTHost), t.number(1, 65535)
	if !t.end() {
		return cellError
	}
	if !q.closed() {
		if t.quirks["open-twice-error"] {
			return cellError
		}
		t.urc("+QMTOPEN: " + csv(q.idx, qmtInUse))
		return cellOK
	}
	if _, known := t.flash.contexts[q.cfg.pdp]; !known {
		t.urc("+QMTOPEN: " + csv(q.idx, qmtNoContext))
		return cellOK
	}
	secure, err := t.secure(q.cfg.ssl == 1, q.cfg.sslContext, host)
	if err != nil {
		t.note("QMTOPEN: %v", err)
		t.urc("+QMTOPEN: " + csv(q.idx, qmtNoNetwork))
		return cellOK
	}
	clear(q.store[:])
	clear(q.names)
	q.open(t.l, host, port, secure, func(err error) {
		code := qmtNoNetwork
		switch {
		case err == nil:
			code = qmtOpened
		case errors.Is(err, errNoService):
			code = qmtNoContext
		case errors.Is(err, errDNS):
			code = qmtNoName
		}
		t.urc("+QMTOPEN: " + csv(q.idx, code))
	})
	return cellOK
}

func (t *cellTurn) qmtopened() cellResult {
	for _, q := range t.ec20.qmt {
		if q.link != nil {
			t.say(fmt.Sprintf(`+QMTOPEN: %d,"%s",%d`, q.idx, q.host, q.port))
		}
	}
	return cellOK
}

func (t *cellTurn) qmtclose() cellResult {
	q := t.qmtClient()
	switch {
	case !t.end():
		return cellError
	case q.closed():
		return t.because(q.whyState())
	}
	q.shut(t.l)
	t.urc("+QMTCLOSE: " + csv(q.idx, 0))
	return cellOK
}

// options are the habits of the client, as they are configured now.
func (q *qmtClient) options() onboard.Options {
	c := q.cfg
	o := onboard.Options{
		Version:       mqtt.V311,
		KeepAlive:     time.Duration(c.keepAlive) * time.Second,
		PacketTimeout: time.Duration(c.packetTime) * time.Second,
		Retries:       c.retries,
		PingTimeout:   time.Duration(c.ping) * time.Second,
		Window:        qmtWindow,
	}
	if c.version == 3 {
		o.Version = mqtt.V31
	}
	return o
}

// login is what the CONNECT says. With aliauth it is computed here, whatever
// the host gave [EC2x MQTT note: aliauth takes precedence].
func (q *qmtClient) login(id, user, password string) onboard.Login {
	l := onboard.Login{ClientID: id, Username: user, Password: password, Clean: q.cfg.clean == 1}
	if w := q.cfg.will; w.on == 1 {
		l.Will = &packet.Will{Topic: w.topic, Payload: []byte(w.message), QoS: mqtt.QoS(w.qos), Retain: w.retain == 1}
	}
	if q.cfg.ali != nil {
		q.c.aliauth(&l, q.cfg.ali, q.cfg.ssl == 1)
	}
	return l
}

// aliauth signs a login for Aliyun. How the firmware does it is not
// documented; these are values that Aliyun accepts, and quirks choose others.
func (c *cellular) aliauth(l *onboard.Login, triple *[3]string, secure bool) {
	o := aliyun.Options{ClientID: l.ClientID, Method: aliyun.HMACSHA1, SecureMode: 3}
	switch {
	case c.quirks["aliauth-md5"]:
		o.Method = aliyun.HMACMD5
	case c.quirks["aliauth-sha256"]:
		o.Method = aliyun.HMACSHA256
	}
	if secure {
		o.SecureMode = 2
	}
	if c.quirks["aliauth-timestamp"] {
		o.Timestamp = strconv.FormatInt(c.radio.Clock().Time(c.airTime(c.life)).UnixMilli(), 10)
	}
	signed := aliyun.Credentials(aliyun.Triple{ProductKey: triple[0], DeviceName: triple[1], DeviceSecret: triple[2]}, o)
	l.ClientID, l.Username, l.Password = signed.ClientID, signed.Username, signed.Password
}

func (t *cellTurn) qmtconn() cellResult {
	q := t.qmtClient()
	id := t.text(1, maxQMTClient)
	user, password := t.textOr("", maxQMTLogin), t.textOr("", maxQMTLogin)
	if !t.end() {
		return cellError
	}
	return t.when(q.connect(t.l, q.options(), q.login(id, user, password)))
}

// connect logs in.
func (q *cellMQTT) connect(l *life, o onboard.Options, login onboard.Login) bool {
	s, err := q.client.Connect(o, login, time.Now())
	return q.do(l, s, err)
}

// when is OK for what was done, ERROR for what could not be.
func (t *cellTurn) when(ok bool) cellResult {
	if ok {
		return cellOK
	}
	return cellError
}

// qmtconnected lists the clients that are open: 1 not logged in yet, 2 on the
// way, 3 logged in.
func (t *cellTurn) qmtconnected() cellResult {
	for _, q := range t.ec20.qmt {
		if state := q.client.State(); state != onboard.Closed {
			t.say("+QMTCONN: " + csv(q.idx, int(state)))
		}
	}
	return cellOK
}

func (t *cellTurn) qmtdisc() cellResult {
	q := t.qmtClient()
	if !t.end() {
		return cellError
	}
	if s, err := q.client.Disconnect(time.Now()); !q.do(t.l, s, err) {
		return cellError
	}
	t.urc("+QMTDISC: " + csv(q.idx, 0))
	return cellOK
}

func (t *cellTurn) qmtsub() cellResult {
	q := t.qmtClient()
	id := t.number(1, 65535)
	var subs []packet.Subscription
	for len(subs) == 0 || t.more() {
		subs = append(subs, packet.Subscription{Filter: t.text(1, maxQMTTopic), QoS: mqtt.QoS(t.number(0, 2))})
	}
	if !t.end() || len(subs) > maxQMTTopics {
		return cellError
	}
	s, err := q.client.Subscribe(uint16(id), subs, time.Now())
	return t.when(q.do(t.l, s, err))
}

func (t *cellTurn) qmtuns() cellResult {
	q := t.qmtClient()
	id := t.number(1, 65535)
	var filters []string
	for len(filters) == 0 || t.more() {
		filters = append(filters, t.text(1, maxQMTTopic))
	}
	if !t.end() || len(filters) > maxQMTTopics {
		return cellError
	}
	s, err := q.client.Unsubscribe(uint16(id), filters, time.Now())
	return t.when(q.do(t.l, s, err))
}

// event says what happened to a client.
func (q *qmtClient) event(l *life, e onboard.Event) {
	switch e := e.(type) {
	case onboard.Done:
		q.say(e.Op, e.ID, 0, e.Codes...)
	case onboard.Repeated:
		if q.cfg.notice == 0 {
			return
		}
		if e.Op == onboard.Connect || e.Op == onboard.Unsubscribe { // their forms have no room for it
			q.say(e.Op, e.ID, 1)
			return
		}
		q.say(e.Op, e.ID, 1, byte(e.Count))
	case onboard.Failed:
		q.say(e.Op, e.ID, 2)
	case onboard.Arrived:
		q.arrived(e.Message)
	case onboard.PingLost:
		q.c.urc("+QMTPING: " + csv(q.idx, 1))
	case onboard.Lost:
		if code := qmtCauses[e.Cause]; code > 0 {
			q.c.urc("+QMTSTAT: " + csv(q.idx, code))
		}
	}
}

// qmtCauses are the codes of +QMTSTAT [EC2x MQTT note §QMTSTAT]. Of a CONNECT
// that nobody answered +QMTCONN has told already.
var qmtCauses = map[onboard.Cause]int{onboard.ByPeer: 1, onboard.NoPong: 2, onboard.NotAllowed: 1, onboard.Refused: 1}

// say says how an operation came out.
func (q *qmtClient) say(op onboard.Op, id uint16, code int, more ...byte) {
	fields := []int{q.idx}
	name := "+QMTCONN"
	switch op {
	case onboard.Subscribe:
		name = "+QMTSUB"
	case onboard.Unsubscribe:
		name = "+QMTUNS"
	case onboard.Publish:
		name = q.names[id]
		if code != 1 {
			delete(q.names, id)
		}
	}
	if op != onboard.Connect {
		fields = append(fields, int(id))
	}
	fields = append(fields, code)
	for _, b := range more {
		fields = append(fields, int(b))
	}
	q.c.urc(name + ": " + csv(fields...))
}

// lost tells that the network took the connection away.
func (q *qmtClient) lost(l *life) {
	if q.closed() {
		return
	}
	wasOpen := q.link != nil
	q.shut(l)
	code := 7 // the link is not alive
	if q.c.served() {
		code = 1
	}
	if wasOpen {
		q.c.urc("+QMTSTAT: " + csv(q.idx, code))
		return
	}
	q.c.urc("+QMTOPEN: " + csv(q.idx, qmtNoNetwork))
}
