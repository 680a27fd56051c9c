package virtual

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// espMQTTCommands are ESP-AT's own MQTT client [ESP-AT v2.2 MQTT AT commands].
var espMQTTCommands = map[string]espCommand{
	"+MQTTUSERCFG":      {set: ofMQTT(espMQTTUser), only: onlyV2},
	"+MQTTCLIENTID":     {set: espMQTTText(256, 0x14, func(q *espMQTT) *string { return &q.clientID }), only: onlyV2},
	"+MQTTUSERNAME":     {set: espMQTTText(64, 0x17, func(q *espMQTT) *string { return &q.username }), only: onlyV2},
	"+MQTTPASSWORD":     {set: espMQTTText(64, 0x1a, func(q *espMQTT) *string { return &q.password }), only: onlyV2},
	"+MQTTLONGCLIENTID": {set: espMQTTLong(0x16, func(q *espMQTT) *string { return &q.clientID }), only: onlyV2},
	"+MQTTLONGUSERNAME": {set: espMQTTLong(0x19, func(q *espMQTT) *string { return &q.username }), only: onlyV2},
	"+MQTTLONGPASSWORD": {set: espMQTTLong(0x1c, func(q *espMQTT) *string { return &q.password }), only: onlyV2},
	"+MQTTCONNCFG":      {set: ofMQTT(espMQTTConfigure), only: onlyV2},
	"+MQTTALPN":         {set: ofMQTT(espMQTTALPN), only: onlyV2},
	"+MQTTSNI":          {set: ofMQTT(espMQTTSNI), only: onlyV2},
	"+MQTTCONN":         {query: espMQTTShow, set: ofMQTT(espMQTTConnect), only: onlyV2},
	"+MQTTPUB":          {set: ofMQTT(espMQTTPublish), only: onlyV2},
	"+MQTTPUBRAW":       {set: ofMQTT(espMQTTPublishRaw), only: onlyV2},
	"+MQTTSUB":          {query: espMQTTSubscriptions, set: ofMQTT(espMQTTSubscribe), only: onlyV2},
	"+MQTTUNSUB":        {set: ofMQTT(espMQTTUnsubscribe), only: onlyV2},
	"+MQTTCLEAN":        {set: ofMQTT(espMQTTClean), only: onlyV2},
}

// Limits of the client, and what it waits for.
const (
	maxMQTTTopic   = 128
	maxMQTTHost    = 128
	maxMQTTWill    = 64
	maxMQTTPath    = 32
	maxMQTTLong    = 1024
	maxMQTTTopics  = 10
	maxMQTTBuffer  = 1024 // a larger message comes in pieces
	maxMQTTRaw     = 9216
	mqttStep       = 10 * time.Second // CONNECT to CONNACK
	mqttReconnect  = 10 * time.Second
	mqttKeepAlive  = 120 // seconds, where 0 was given
	mqttCodes      = errFailed | 0x6000
	codeNoConfig   = mqttCodes | 0x01
	codeState      = mqttCodes | 0x02
	codeClean      = mqttCodes | 0x03
	codeConnected  = mqttCodes | 0x04
	codeNoLink     = mqttCodes | 0x06
	codeParameters = mqttCodes | 0x08
	codeStart      = mqttCodes | 0x0b
	codePublish    = mqttCodes | 0x0c
	codeSubscribe  = mqttCodes | 0x0d
	codeUnsub      = mqttCodes | 0x0e
	codeLink       = mqttCodes | 0x11
	codeScheme     = mqttCodes | 0x13
	codeLost       = mqttCodes | 0x51
)

// The states that AT+MQTTCONN? shows.
const (
	mqttNothing      = 0
	mqttUser         = 1
	mqttConfigured   = 2
	mqttDisconnected = 3
	mqttConnected    = 4
	mqttNoTopics     = 5 // the last one was given up
	mqttTopics       = 6
)

// An espMQTT is the one client that the firmware has.
type espMQTT struct {
	state                        int
	scheme                       int
	clientID, username, password string
	path                         string
	keepAlive                    int
	keepSession                  bool
	will                         *packet.Will
	host                         string
	port, reconnect              int
	alpn                         []string
	sni                          string
	subs                         []espTopic // at most maxMQTTTopics

	client  *client.Client
	conn    net.Conn
	once    bool               // it has been connected
	ended   bool               // the client has given up
	link    context.Context    // done when the connection is
	unlink  context.CancelFunc //
	leaving bool               // AT+MQTTCLEAN
	busy    bool               // data for it is being entered: URCs of the connection are not shown
}

type espTopic struct {
	filter string
	qos    int
}

func newESPMQTT() *espMQTT { return &espMQTT{} }

// connected reports whether there is a connection.
func (q *espMQTT) connected() bool { return q.state >= mqttConnected }

// cut breaks the connection.
func (q *espMQTT) cut() {
	if q.conn != nil {
		q.conn.Close()
	}
}

// ofMQTT is a command of the client, whose number comes before everything
// else.
func ofMQTT(run func(c *espCall, q *espMQTT) result) espHandler {
	return func(c *espCall) result {
		q, ok := c.linkID()
		if !ok {
			return espError
		}
		return run(c, q)
	}
}

// linkID reads the first parameter of all: there is one client, 0.
func (c *espCall) linkID() (*espMQTT, bool) {
	_, ok := c.number(0, 0)
	c.code = codeLink
	return c.e.mqtt, ok
}

// field reads a string parameter of a limited length. code is the number for
// one that cannot be read; the one for too long a string follows it by step.
func (c *espCall) field(most, code, step int) (string, bool) {
	s, ok := c.text(most)
	if !ok {
		c.code = mqttCodes | code + step
	}
	return s, ok
}

// choice reads a number parameter.
func (c *espCall) choice(low, high, code int) (int, bool) {
	n, ok := c.number(low, high)
	if !ok {
		c.code = mqttCodes | code
	}
	return n, ok
}

// full reports whether all parameters were read and no more follow.
func (c *espCall) full() bool {
	ok := c.ended()
	if !ok {
		c.code = codeParameters
	}
	return ok
}

func espMQTTUser(c *espCall, q *espMQTT) result {
	if q.state > mqttConfigured {
		return c.fail(codeState)
	}
	n, ok := espMQTT{state: mqttUser}, false
	if n.scheme, ok = c.choice(1, 10, 0x13); !ok {
		return espError
	}
	if n.clientID, ok = c.field(256, 0x14, 2); !ok {
		return espError
	}
	if n.username, ok = c.field(64, 0x17, 2); !ok {
		return espError
	}
	if n.password, ok = c.field(64, 0x1a, 2); !ok {
		return espError
	}
	if _, ok = c.choice(0, 255, 0x1e); !ok {
		return espError
	}
	if _, ok = c.choice(0, 255, 0x20); !ok {
		return espError
	}
	if n.path, ok = c.field(maxMQTTPath, 0x27, 2); !ok || !c.full() {
		return espError
	}
	*q = n
	return espOK
}

// espMQTTText sets one of the three login strings by its own command.
func espMQTTText(most, code int, of func(*espMQTT) *string) espHandler {
	return ofMQTT(func(c *espCall, q *espMQTT) result {
		if q.state != mqttUser {
			return c.fail(codeState)
		}
		s, ok := c.field(most, code, 2)
		if !ok || !c.full() {
			return espError
		}
		*of(q) = s
		return espOK
	})
}

// espMQTTLong takes a login string as counted data.
func espMQTTLong(code int, of func(*espMQTT) *string) espHandler {
	return ofMQTT(func(c *espCall, q *espMQTT) result {
		if q.state != mqttUser {
			return c.fail(codeState)
		}
		n, ok := c.choice(1, maxMQTTLong, code)
		if !ok || !c.full() {
			return espError
		}
		data, ok := c.enterMQTT(n)
		if !ok {
			return espSilent
		}
		*of(q) = string(data)
		return espOK
	})
}

// enterMQTT takes counted data for the client.
func (c *espCall) enterMQTT(n int) ([]byte, bool) {
	c.e.mqtt.busy = true
	defer func() { c.e.mqtt.busy = false }()
	c.print(string(espOK))
	return c.enter(n, false, "\r\n>")
}

func espMQTTConfigure(c *espCall, q *espMQTT) result {
	switch {
	case q.state == mqttNothing:
		return c.fail(codeNoConfig)
	case q.state > mqttConfigured:
		return c.fail(codeState)
	}
	keepAlive, ok := c.choice(0, 7200, 0x2d)
	if !ok {
		return espError
	}
	keep, ok := c.choice(0, 1, 0x2f)
	if !ok {
		return espError
	}
	topic, ok := c.field(maxMQTTTopic, 0x30, 2)
	if !ok {
		return espError
	}
	message, ok := c.field(maxMQTTWill, 0x33, 2)
	if !ok {
		return espError
	}
	qos, ok := c.choice(0, 2, 0x37)
	if !ok {
		return espError
	}
	retain, ok := c.choice(0, 1, 0x39)
	if !ok || !c.full() {
		return espError
	}
	q.keepAlive, q.keepSession, q.will = keepAlive, keep == 1, nil
	if keepAlive == 0 {
		q.keepAlive = mqttKeepAlive
	}
	if topic != "" {
		q.will = &packet.Will{Topic: topic, Payload: []byte(message), QoS: mqtt.QoS(qos), Retain: retain == 1}
	}
	q.state = mqttConfigured
	return espOK
}

func espMQTTALPN(c *espCall, q *espMQTT) result {
	n, ok := c.choice(0, 6, 0x08)
	if !ok {
		return espError
	}
	var names []string
	for range n {
		s, ok := c.field(64, 0x08, 0)
		if !ok || s == "" {
			return espError
		}
		names = append(names, s)
	}
	if !c.full() {
		return espError
	}
	q.alpn = names
	return espOK
}

func espMQTTSNI(c *espCall, q *espMQTT) result {
	s, ok := c.field(maxMQTTHost, 0x08, 0)
	if !ok || !c.full() {
		return espError
	}
	q.sni = s
	return espOK
}

func espMQTTShow(c *espCall) result {
	q := c.e.mqtt
	port := ""
	if q.port > 0 {
		port = strconv.Itoa(q.port)
	}
	c.printf("+MQTTCONN:0,%d,%d,\"%s\",\"%s\",\"%s\",%d\r\n", q.state, q.scheme, q.host, port, q.path, q.reconnect)
	return espOK
}

// espMQTTConnect is AT+MQTTCONN: it waits until the server has answered.
func espMQTTConnect(c *espCall, q *espMQTT) result {
	switch {
	case q.state == mqttNothing:
		return c.fail(codeNoConfig)
	case q.state == mqttUser:
		return c.fail(codeState)
	case q.state == mqttDisconnected:
		return c.fail(codeLost)
	case q.connected():
		return c.fail(codeConnected)
	}
	host, ok := c.field(maxMQTTHost, 0x3a, 2)
	if !ok || host == "" {
		return c.fail(mqttCodes | 0x3a)
	}
	port, ok := c.choice(1, 65535, 0x3e)
	if !ok {
		return espError
	}
	reconnect, ok := c.choice(0, 1, 0x40)
	if !ok || !c.full() {
		return espError
	}
	q.host, q.port, q.reconnect = host, port, reconnect
	c.e.mqttCause.Store(c.e.cause)
	c.e.startMQTT(c.life, q)
	if !c.await(func() bool { return q.connected() || q.ended }) {
		return espSilent
	}
	if !q.connected() {
		q.state = mqttConfigured
		return c.fail(codeStart)
	}
	return espOK
}

// startMQTT sets the client to work.
func (e *esp) startMQTT(l *life, q *espMQTT) {
	q.ended, q.leaving = false, false
	q.once = false
	wait := l.scale(mqttReconnect)
	q.client = client.New(client.Options{
		Dial:           func(ctx context.Context) (net.Conn, error) { return e.dialMQTT(ctx, l, q) },
		ClientID:       q.clientID,
		Username:       q.username,
		Password:       passwordOf(q),
		KeepSession:    q.keepSession,
		Will:           q.will,
		KeepAlive:      time.Duration(q.keepAlive) * time.Second,
		ConnectTimeout: dnsTimeout + mqttStep,
		MinBackoff:     wait,
		MaxBackoff:     wait,
		SteadyBackoff:  true, // as the firmware: a host may count on it
		GiveUp:         func(error) bool { return l.givesUp(q) },
		OnConnect:      func(context.Context, *packet.Connack) { e.mqttUp(l, q) },
		OnDisconnect:   func(context.Context, error) { l.during(func() { e.mqttDown(l, q) }) },
		OnMessage:      func(ctx context.Context, m client.Message) { e.mqttMessage(ctx, l, q, m) },
	})
	run := q.client
	l.task(func() {
		var err error
		l.wait(func(ctx context.Context) { err = run.Run(ctx) })
		if q.client == run {
			q.ended = true
			e.mqttDown(l, q) // the client does not tell what it gives up on
		}
		if err != nil {
			l.observe(Event{Kind: Closed, Cause: e.mqttCause.Load(), Text: err.Error()})
			if refused, ok := errors.AsType[*client.Refused](err); ok {
				l.refusedLogin(e.mqttCause.Load(), refused.ReturnCode)
			}
		}
	})
}

// givesUp says whether a lost connection, or one that was never made, is left
// alone.
func (l *life) givesUp(q *espMQTT) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !q.once || q.reconnect == 0
}

func passwordOf(q *espMQTT) []byte {
	if q.password == "" {
		return nil
	}
	return []byte(q.password)
}

// during runs f with the lock held for a callback of the client, unless its
// life is over.
func (l *life) during(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over() {
		f()
		l.changed.Broadcast()
	}
}

// mqttUp is told, on the client's goroutine, of each connection.
func (e *esp) mqttUp(l *life, q *espMQTT) {
	l.during(func() {
		q.link, q.unlink = context.WithCancel(l.ctx)
		q.once, q.state = true, mqttConnected
		if len(q.subs) > 0 {
			q.state = mqttTopics
		}
		if !q.busy {
			l.print(fmt.Sprintf("+MQTTCONNECTED:0,%d,\"%s\",\"%d\",\"%s\",%d\r\n", q.scheme, q.host, q.port, q.path, q.reconnect))
		}
	})
}

// mqttDown is told of each connection that ended, once or twice. The lock is
// held.
func (e *esp) mqttDown(l *life, q *espMQTT) {
	if !q.connected() {
		return
	}
	q.unlink()
	q.conn = nil
	q.state = mqttDisconnected
	if q.leaving {
		return
	}
	l.observe(Event{Kind: Closed, Cause: e.mqttCause.Load(), Text: "MQTT connection lost"})
	if !q.busy {
		l.print("+MQTTDISCONNECTED:0\r\n")
	}
}

// mqttMessage shows a message, in pieces as large as the buffer.
func (e *esp) mqttMessage(ctx context.Context, l *life, q *espMQTT, m client.Message) {
	l.uart.room(ctx)
	l.during(func() {
		room := maxMQTTBuffer - len(m.Topic) - 4 // fixed header and length of the topic
		if m.QoS > 0 {
			room -= 2
		}
		for rest := m.Payload; ; room = maxMQTTBuffer {
			n := min(len(rest), max(room, 1))
			l.print(fmt.Sprintf("+MQTTSUBRECV:0,\"%s\",%d,%s\r\n", m.Topic, n, rest[:n]))
			if rest = rest[n:]; len(rest) == 0 {
				return
			}
		}
	})
}

// request asks the server for something, as long as the connection lasts, and
// is what the command ends with: code says that the server did not do it.
func (c *espCall) request(q *espMQTT, code int, f func(ctx context.Context) error) result {
	link := q.link
	var err error
	switch {
	case !c.talk(func() { err = f(link) }):
		return espSilent
	case err != nil:
		return c.fail(code)
	}
	return espOK
}

// talk lets f talk to the server: the command is the cause of what it writes.
func (c *espCall) talk(f func()) bool {
	before := c.e.mqttCause.Swap(c.e.cause)
	defer c.e.mqttCause.Store(before)
	return c.wait(func(context.Context) { f() })
}

// topic reads a topic, which may not be empty.
func (c *espCall) topic() (string, bool) {
	s, ok := c.field(maxMQTTTopic, 0x41, 2)
	return s, ok && s != ""
}

func espMQTTPublish(c *espCall, q *espMQTT) result {
	topic, ok := c.topic()
	if !ok {
		return espError
	}
	data, ok := c.field(maxESPLine, 0x44, 2)
	if !ok {
		return espError
	}
	m := client.Message{Topic: topic, Payload: []byte(data)}
	if !c.qosRetain(&m) {
		return espError
	}
	if !q.connected() {
		return c.fail(codeNoLink)
	}
	return c.request(q, codePublish, func(ctx context.Context) error { return q.client.Publish(ctx, m) })
}

// qosRetain reads the two numbers that end AT+MQTTPUB and AT+MQTTPUBRAW.
func (c *espCall) qosRetain(m *client.Message) bool {
	qos, ok := c.choice(0, 2, 0x48)
	if !ok {
		return false
	}
	retain, ok := c.choice(0, 1, 0x4a)
	m.QoS, m.Retain = mqtt.QoS(qos), retain == 1
	return ok && c.full()
}

// espMQTTPublishRaw takes the message as counted data. It ends with its own
// word, without OK.
func espMQTTPublishRaw(c *espCall, q *espMQTT) result {
	topic, ok := c.topic()
	if !ok {
		return espError
	}
	m := client.Message{Topic: topic}
	n, ok := c.choice(1, maxMQTTRaw, 0x4c)
	if !ok || !c.qosRetain(&m) {
		return espError
	}
	if !q.connected() {
		return c.fail(codeNoLink)
	}
	link := q.link
	if m.Payload, ok = c.enterMQTT(n); !ok {
		return espSilent
	}
	if link.Err() != nil {
		return "+MQTTPUB:FAIL\r\n+MQTTDISCONNECTED:0" // 2.2 forgets the line end
	}
	if c.strikes(faultSendLost) {
		q.cut()
		return "+MQTTPUB:FAIL\r\n"
	}
	var err error
	if !c.talk(func() { err = q.client.Publish(link, m) }) {
		return espSilent
	}
	if err != nil {
		return "+MQTTPUB:FAIL\r\n"
	}
	return "+MQTTPUB:OK\r\n"
}

func espMQTTSubscriptions(c *espCall) result {
	q := c.e.mqtt
	for _, s := range q.subs {
		c.printf("+MQTTSUB:0,%d,\"%s\",%d\r\n", q.state, s.filter, s.qos)
	}
	if len(q.subs) == 0 {
		c.printf("+MQTTSUB:0,%d,\"\",0\r\n", q.state)
	}
	return espOK
}

func (q *espMQTT) find(filter string) int {
	for i, s := range q.subs {
		if s.filter == filter {
			return i
		}
	}
	return -1
}

func espMQTTSubscribe(c *espCall, q *espMQTT) result {
	filter, ok := c.topic()
	if !ok {
		return espError
	}
	qos, ok := c.choice(0, 2, 0x48)
	if !ok || !c.full() {
		return espError
	}
	switch {
	case !q.connected():
		return c.fail(codeNoLink)
	case q.find(filter) >= 0:
		c.print("ALREADY SUBSCRIBE\r\n")
		return espOK
	case len(q.subs) >= maxMQTTTopics:
		c.code = codeSubscribe
		return c.refuse("ALREADY FULL SUBSCRIBE")
	}
	done := c.request(q, codeSubscribe, func(ctx context.Context) error {
		_, err := q.client.Subscribe(ctx, nil, packet.Subscription{Filter: filter, QoS: mqtt.QoS(qos)})
		return err
	})
	if done != espOK {
		return done
	}
	q.subs = append(q.subs, espTopic{filter, qos})
	q.state = mqttTopics
	return espOK
}

func espMQTTUnsubscribe(c *espCall, q *espMQTT) result {
	filter, ok := c.field(maxMQTTTopic, 0x41, 2)
	if !ok || !c.full() {
		return espError
	}
	if !q.connected() {
		return c.fail(codeNoLink)
	}
	if q.find(filter) < 0 {
		c.print("NO UNSUBSCRIBE\r\n")
		return espOK
	}
	done := c.request(q, codeUnsub, func(ctx context.Context) error { return q.client.Unsubscribe(ctx, filter) })
	if done != espOK {
		return done
	}
	if i := q.find(filter); i >= 0 {
		q.subs = append(q.subs[:i], q.subs[i+1:]...)
	}
	if len(q.subs) == 0 && q.connected() {
		q.state = mqttNoTopics
	}
	return espOK
}

// espMQTTClean ends the client and forgets everything of it.
func espMQTTClean(c *espCall, q *espMQTT) result {
	if !c.full() {
		return espError
	}
	if q.state == mqttNothing {
		return c.fail(codeClean)
	}
	if q.client != nil && !q.ended {
		q.leaving = true
		up := q.connected()
		if !c.wait(func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, mqttStep)
			defer cancel()
			q.client.Disconnect(ctx)
		}) {
			return espSilent
		}
		q.cut()
		if up {
			c.print("+MQTTDISCONNECTED:0\r\n")
		}
	}
	if q.unlink != nil {
		q.unlink()
	}
	*q = espMQTT{}
	return espOK
}
