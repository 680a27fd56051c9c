package virtual

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matou-iot/matou/modem/virtual/onboard"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// lmqttCommands are Lierda's MQTT commands [Lierda NT35E & NT26E-CN AT manual,
// as far as it is quoted].
var lmqttCommands = cellTable{
	"+LMQTTCFG":      {set: (*cellTurn).lmqttcfg},
	"+LMQTTOPEN":     {set: (*cellTurn).lmqttopen},
	"+LMQTTCLOSE":    {set: (*cellTurn).lmqttclose},
	"+LMQTTCONN":     {set: (*cellTurn).lmqttconn, query: (*cellTurn).lmqttconnected},
	"+LMQTTDISC":     {set: (*cellTurn).lmqttdisc},
	"+LMQTTSUBUNSUB": {set: (*cellTurn).lmqttsub},
	"+LMQTTPUB":      {set: (*cellTurn).lmqttpub},
	"+LMQTTREAD":     {set: (*cellTurn).lmqttread},
}

// Bounds of LMQTT.
const (
	lmqttClients    = 5 // identifiers; one is supported
	maxLMQTTHost    = 100
	maxLMQTTText    = 256
	maxLMQTTInline  = 1460
	maxLMQTTPrompt  = 8000
	lmqttStoreSlots = 5
	lmqttPromptIdle = 60 * time.Second
)

// The reasons in +LMQTTOPEN: <id>,-1,<reason>.
const (
	lmqttInUse     = 2
	lmqttNoContext = 3
	lmqttNoName    = 4
	lmqttNoNetwork = 5
)

// The statuses of +LMQTTURC: STATS.
const (
	lmqttReset    = 1
	lmqttProtocol = 4
	lmqttTimeout  = 8
	lmqttBroken   = 9
	lmqttRefused  = 15
)

// An lmqttConfig is what AT+LMQTTCFG sets. It holds until the client closes.
type lmqttConfig struct {
	cloud, data         int
	version, keepAlive  int
	clean               int
	packetTime, retries int
	notice              int
	will                qmtWill
	cache, showLength   int
	ali                 *[3]string
}

var defaultLMQTT = lmqttConfig{version: 4, keepAlive: 120, clean: 1, packetTime: 10, retries: 3}

// lmqttSettings reads the values of each name into a copy of the
// configuration.
var lmqttSettings = map[string]func(a *cellArgs, c *lmqttConfig){
	"cloud": func(a *cellArgs, c *lmqttConfig) { c.cloud, c.data = a.number(0, 255), a.numberOr(c.data, 0, 255) },
	"aliauth": func(a *cellArgs, c *lmqttConfig) {
		c.ali = &[3]string{a.text(1, maxLMQTTText), a.text(1, maxLMQTTText), a.text(1, maxLMQTTText)}
	},
	"version":   func(a *cellArgs, c *lmqttConfig) { c.version = a.number(3, 4) },
	"keepalive": func(a *cellArgs, c *lmqttConfig) { c.keepAlive = a.number(0, 3600) },
	"session":   func(a *cellArgs, c *lmqttConfig) { c.clean = a.number(0, 1) },
	"timeout": func(a *cellArgs, c *lmqttConfig) {
		c.packetTime, c.retries, c.notice = a.number(1, 120), a.number(0, 10), a.number(0, 1)
	},
	"will": func(a *cellArgs, c *lmqttConfig) {
		q := qmtConfig{}
		setWill(a, &q)
		c.will = q.will
	},
	"cache": func(a *cellArgs, c *lmqttConfig) { c.cache = a.number(0, 1) },
	// Other codings of payloads exist; what they mean is not known.
	"dataformat": func(a *cellArgs, c *lmqttConfig) { a.number(0, 0); a.number(0, 0) },
	"send/mode":  func(a *cellArgs, c *lmqttConfig) { a.number(0, 0) },
	"recv/mode":  func(a *cellArgs, c *lmqttConfig) { a.number(0, 0); c.showLength = a.numberOr(c.showLength, 0, 1) },
	"urc":        func(a *cellArgs, c *lmqttConfig) { a.number(0, 1) }, // the URCs come always
	// TLS is not made here: its contexts are not documented.
	"sslenable": func(a *cellArgs, c *lmqttConfig) { a.number(0, 0); a.numberOr(0, 0, 5) },
	"raimode":   func(a *cellArgs, c *lmqttConfig) { a.number(0, 2) },
	"pdpcid":    func(a *cellArgs, c *lmqttConfig) { a.number(1, maxContexts) },
}

// An lmqttClient is one client of an NT35E.
type lmqttClient struct {
	*cellMQTT
	cfg    lmqttConfig
	opened bool              // OPEN without CLOSE: DISC leaves it so
	ret    byte              // of the CONNACK that refused
	unsubs map[uint16]bool   // which identifiers are of unsubscriptions; at most qmtWindow
	store  []*packet.Publish // with cache 1: at most lmqttStoreSlots
}

func newLMQTT(c *cellular, idx int) *lmqttClient {
	q := &lmqttClient{cellMQTT: &cellMQTT{c: c, idx: idx}, cfg: defaultLMQTT, unsubs: make(map[uint16]bool)}
	q.told = q.event
	return q
}

// lmqttClient reads the identifier of a client; all but 0 are refused where
// it matters.
func (t *cellTurn) lmqttClient() *lmqttClient { return t.nt.clients[t.number(0, lmqttClients-1)] }

// supported reports whether a client does anything.
func (q *lmqttClient) supported() bool { return q.idx == 0 || q.c.quirks["five-clients"] }

// lmqttcfg takes the name with or without quotes: the manual's syntax has
// none, its examples have them.
func (t *cellTurn) lmqttcfg() cellResult {
	set := lmqttSettings[strings.ToLower(t.text(1, 32))]
	q := t.lmqttClient()
	if t.failed || set == nil {
		return cellError
	}
	cfg := q.cfg
	set(t.cellArgs, &cfg)
	if !t.end() {
		return cellError
	}
	q.cfg = cfg
	return cellOK
}

func (t *cellTurn) lmqttopen() cellResult {
	q := t.lmqttClient()
	host, port := t.text(1, maxLMQTTHost), t.number(1, 65535)
	if !t.end() || !q.supported() {
		return cellError
	}
	if !q.closed() {
		t.urc("+LMQTTOPEN: " + csv(q.idx, -1, lmqttInUse))
		return cellOK
	}
	q.store, q.ret = nil, 0
	clear(q.unsubs)
	q.open(t.l, host, port, nil, func(err error) {
		code := lmqttNoNetwork
		switch {
		case err == nil:
			q.opened = true
			t.urc("+LMQTTOPEN: " + csv(q.idx, 0))
			return
		case errors.Is(err, errNoService):
			code = lmqttNoContext
		case errors.Is(err, errDNS):
			code = lmqttNoName
		}
		t.urc("+LMQTTOPEN: " + csv(q.idx, -1, code))
	})
	return cellOK
}

// nothingOpen answers DISC and CLOSE where there is nothing to end.
func (t *cellTurn) nothingOpen() cellResult { return t.when(t.quirks["close-ok"]) }

// lmqttclose closes and forgets the configuration.
func (t *cellTurn) lmqttclose() cellResult {
	q := t.lmqttClient()
	switch {
	case !t.end():
		return cellError
	case q.closed() && !q.opened:
		return t.nothingOpen()
	}
	q.shut(t.l)
	q.opened, q.cfg = false, defaultLMQTT
	t.urc("+LMQTTCLOSE: " + csv(q.idx, 0))
	return cellOK
}

func (t *cellTurn) lmqttconn() cellResult {
	q := t.lmqttClient()
	id := t.textOr("", maxLMQTTText)
	user, password := t.textOr("", maxLMQTTText), t.textOr("", maxLMQTTText)
	if !t.end() {
		return cellError
	}
	login := onboard.Login{ClientID: id, Username: user, Password: password, Clean: q.cfg.clean == 1}
	if w := q.cfg.will; w.on == 1 {
		login.Will = &packet.Will{Topic: w.topic, Payload: []byte(w.message), QoS: mqtt.QoS(w.qos), Retain: w.retain == 1}
	}
	if q.cfg.ali != nil {
		t.aliauth(&login, q.cfg.ali, false)
	}
	if !q.connect(t.l, q.options(), login) {
		return cellError
	}
	if t.quirks["urc-before-ok"] {
		return t.connectedFirst(q)
	}
	return cellOK
}

// connectedFirst says how the login came out before the OK.
func (t *cellTurn) connectedFirst(q *lmqttClient) cellResult {
	if !t.l.await(func() bool { return q.client.State() != onboard.Connecting }) {
		return cellSilent
	}
	held := t.urcs
	t.urcs = nil
	for _, text := range held {
		t.frame(t.l, text)
	}
	return cellOK
}

// options are the habits of the client, as they are configured now.
func (q *lmqttClient) options() onboard.Options {
	o := onboard.Options{
		Version:       mqtt.V311,
		KeepAlive:     time.Duration(q.cfg.keepAlive) * time.Second,
		PacketTimeout: time.Duration(q.cfg.packetTime) * time.Second,
		Retries:       q.cfg.retries,
		PingTimeout:   time.Duration(q.cfg.packetTime) * time.Second,
		Window:        qmtWindow,
	}
	if q.cfg.version == 3 {
		o.Version = mqtt.V31
	}
	return o
}

func (t *cellTurn) lmqttconnected() cellResult {
	for _, q := range t.nt.clients {
		if state := q.client.State(); state != onboard.Closed {
			t.say("+LMQTTCONN: " + csv(q.idx, int(state)))
		}
	}
	return cellOK
}

// lmqttdisc says goodbye and closes the connection; CLOSE is still answered.
func (t *cellTurn) lmqttdisc() cellResult {
	q := t.lmqttClient()
	switch {
	case !t.end():
		return cellError
	case q.closed():
		return t.nothingOpen()
	}
	s, err := q.client.Disconnect(time.Now())
	if !q.do(t.l, s, err) {
		return cellError
	}
	t.urc("+LMQTTDISC: " + csv(q.idx, 0))
	return cellOK
}

// lmqttsub is AT+LMQTTSUBUNSUB=<id>,<0 subscribe, 1 unsubscribe>,<msgID>,"<topic>"[,<qos>]….
func (t *cellTurn) lmqttsub() cellResult {
	q := t.lmqttClient()
	unsubscribe := t.number(0, 1) == 1
	id := uint16(t.number(0, 65535))
	var subs []packet.Subscription
	var filters []string
	for len(subs) == 0 || t.more() {
		s := packet.Subscription{Filter: t.text(1, maxLMQTTText)}
		if unsubscribe { // its QoS may be given and means nothing
			t.numberOr(0, 0, 2)
		} else {
			s.QoS = mqtt.QoS(t.number(0, 2))
		}
		subs, filters = append(subs, s), append(filters, s.Filter)
	}
	if !t.end() || id == 0 || len(subs) > maxQMTTopics { // MQTT has no identifier 0
		return cellError
	}
	if !unsubscribe {
		s, err := q.client.Subscribe(id, subs, time.Now())
		return t.when(q.do(t.l, s, err))
	}
	s, err := q.client.Unsubscribe(id, filters, time.Now())
	if err == nil {
		q.unsubs[id] = true
	}
	return t.when(q.do(t.l, s, err))
}

// lmqttpub is AT+LMQTTPUB=<id>,<msgID>,<qos>,<retain>,"<topic>",<length>[,<message>].
func (t *cellTurn) lmqttpub() cellResult {
	q := t.lmqttClient()
	p := &packet.Publish{ID: uint16(t.number(0, 65535)), QoS: mqtt.QoS(t.number(0, 2)), Retain: t.number(0, 1) == 1}
	p.Topic = []byte(t.text(1, maxLMQTTText))
	length := t.length(0, maxLMQTTPrompt)
	inline := t.more()
	switch {
	case t.failed:
		return cellError
	case (p.QoS == 0) != (p.ID == 0) || mqtt.ValidTopicName(string(p.Topic)) != nil:
		return t.because(because{"message id 0 goes with QoS 0 only, and with nothing else; a topic holds no + and #", "消息标识符 0 只能且必须用于 QoS 0；主题中不能有 + 和 #"})
	case !q.loggedIn():
		return t.because(q.whyState())
	}
	if inline {
		message, ok := t.inline(length)
		if !ok {
			return t.because(becausef("the message does not have the %d bytes that are announced, 1024 at most", "消息不是声明的 %d 字节，或超过 1024 字节", length))
		}
		p.Payload = message
		return t.when(q.publish(t.l, p))
	}
	if length == 0 {
		return cellError
	}
	data, how := t.prompt(cellPrompt, length, 0, lmqttPromptIdle, false)
	switch how {
	case promptOver:
		return cellSilent
	case promptIdle:
		return t.because(whyShort(length))
	}
	p.Payload = data
	return t.when(q.publish(t.l, p))
}

// inline reads a message that its length delimits, between quotes or not: a
// quote inside is a byte of it.
func (t *cellTurn) inline(length int) ([]byte, bool) {
	if length > maxLMQTTInline {
		return nil, false
	}
	rest := strings.TrimLeft(t.p.Rest(), " ")
	if message, quoted := strings.CutPrefix(rest, `"`); quoted && len(rest) != length {
		if len(message) < length+1 || strings.TrimRight(message[length:], " ") != `"` {
			return nil, false
		}
		return []byte(message[:length]), true
	}
	return []byte(rest), len(rest) == length
}

// event says what happened to a client.
func (q *lmqttClient) event(l *life, e onboard.Event) {
	switch e := e.(type) {
	case onboard.Done:
		q.done(e)
	case onboard.Repeated:
		if q.cfg.notice == 1 {
			q.say(e.Op, e.ID, 1, e.Count)
		}
	case onboard.Failed:
		q.say(e.Op, e.ID, 2)
	case onboard.Arrived:
		q.arrived(e.Message)
	case onboard.Lost:
		q.opened = false
		switch e.Cause {
		case onboard.ByPeer:
			q.stats(lmqttReset)
		case onboard.NoPong:
			q.stats(lmqttTimeout)
		case onboard.NotAllowed:
			q.stats(lmqttProtocol)
		case onboard.Refused:
			q.stats(lmqttRefused, int(q.ret))
		}
	}
}

// done says that the server answered. A refused login keeps result 0 and
// carries the code; an acknowledged subscription carries 1.
func (q *lmqttClient) done(e onboard.Done) {
	switch e.Op {
	case onboard.Connect:
		q.ret = e.Codes[0]
		q.say(e.Op, 0, 0, int(q.ret))
	case onboard.Subscribe:
		result := 0
		if slices.Index(e.Codes, 128) >= 0 {
			result = 1
		}
		q.say(e.Op, e.ID, result, 1)
	case onboard.Unsubscribe:
		q.say(e.Op, e.ID, 0, 1)
	case onboard.Publish:
		q.say(e.Op, e.ID, 0)
	}
}

func (q *lmqttClient) say(op onboard.Op, id uint16, result int, more ...int) {
	name, fields := "+LMQTTCONN", []int{q.idx}
	switch op {
	case onboard.Subscribe, onboard.Unsubscribe:
		name = "+LMQTTSUBUNSUB"
		if q.unsubs[id] && q.c.quirks["unsub-name"] {
			name = "+LMQTTUNSUNSUB"
		}
		delete(q.unsubs, id)
	case onboard.Publish:
		name = "+LMQTTPUB"
	}
	if op != onboard.Connect {
		fields = append(fields, int(id))
	}
	fields = append(append(fields, result), more...)
	q.c.urc(name + ": " + csv(fields...))
}

func (q *lmqttClient) stats(code int, more ...int) {
	q.c.urc("+LMQTTURC: STATS," + csv(append([]int{q.idx, code}, more...)...))
}

// lost tells that the network took the connection away.
func (q *lmqttClient) lost(l *life) {
	if q.closed() {
		return
	}
	wasOpen := q.link != nil
	q.shut(l)
	q.opened = false
	if !wasOpen {
		q.c.urc("+LMQTTOPEN: " + csv(q.idx, -1, lmqttNoNetwork))
		return
	}
	if q.c.served() {
		q.stats(lmqttReset)
		return
	}
	q.stats(lmqttBroken)
}

// arrived says a message of the server, or puts it away.
func (q *lmqttClient) arrived(p *packet.Publish) {
	if q.cfg.cache == 0 {
		q.c.urc("+LMQTTURC: RECV," + q.shown(p, q.cfg.showLength == 1))
		return
	}
	if len(q.store) == lmqttStoreSlots {
		q.c.note("MQTT client %d: a message is dropped, %d wait already", q.idx, lmqttStoreSlots)
		return
	}
	q.store = append(q.store, p)
	q.c.urc("+LMQTTURC: RECV," + csv(q.idx, int(p.ID)))
}

// shown is a message as it is printed: without quotes, as it is.
func (q *lmqttClient) shown(p *packet.Publish, length bool) string {
	payload := string(p.Payload)
	if q.c.quirks["quoted-payload"] {
		payload = `"` + payload + `"`
	}
	if length {
		payload = fmt.Sprintf("%d,%s", len(p.Payload), payload)
	}
	return fmt.Sprintf(`%d,%d,"%s",%s`, q.idx, p.ID, p.Topic, payload)
}

// lmqttread fetches the oldest message, or the n-th. Its form is a guess: see
// the quirk.
func (t *cellTurn) lmqttread() cellResult {
	q := t.lmqttClient()
	n := t.numberOr(0, 0, lmqttStoreSlots-1)
	if !t.quirks["lmqttread"] || !t.end() || n >= len(q.store) {
		return cellError
	}
	t.say("+LMQTTREAD: " + q.shown(q.store[n], true))
	q.store = slices.Delete(q.store, n, n+1)
	return cellOK
}
