package virtual

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// maxQMTPayload is the largest message that the module takes from the host.
const maxQMTPayload = 10240

// cellPrompt is what a module of the family says when it waits for data.
const cellPrompt = "\r\n> "

// qmtpub is AT+QMTPUB with a length, or without: then Ctrl-Z ends the message.
func (t *cellTurn) qmtpub() cellResult {
	if t.quirks["no-qmtpub"] {
		return cellError
	}
	q, p := t.message()
	want := -1
	if t.more() {
		want = t.length(1, maxQMTPayload)
	}
	return t.publish("+QMTPUB", q, p, want)
}

// qmtpubex is AT+QMTPUBEX, whose length is not optional.
func (t *cellTurn) qmtpubex() cellResult {
	q, p := t.message()
	return t.publish("+QMTPUBEX", q, p, t.length(1, maxQMTPayload))
}

// message reads <client>,<msgID>,<qos>,<retain>,"<topic>".
func (t *cellTurn) message() (*qmtClient, *packet.Publish) {
	q := t.qmtClient()
	p := &packet.Publish{ID: uint16(t.number(0, 65535)), QoS: mqtt.QoS(t.number(0, 2)), Retain: t.number(0, 1) == 1}
	p.Topic = []byte(t.text(1, maxQMTTopic))
	if p.QoS > mqtt.AtMostOnce && p.ID == 0 || mqtt.ValidTopicName(string(p.Topic)) != nil {
		t.why = because{"message id 0 goes with QoS 0 only, and a topic holds no + and #", "消息标识符 0 只能用于 QoS 0；主题中不能有 + 和 #"}
		t.fail()
	}
	return q, p
}

// publish asks for the message and sends it.
func (t *cellTurn) publish(name string, q *qmtClient, p *packet.Publish, want int) cellResult {
	if !t.end() {
		return cellError
	}
	if !q.loggedIn() {
		return t.because(q.whyState())
	}
	idle := time.Duration(0)
	if q.cfg.editLimit == 1 {
		idle = time.Duration(q.cfg.editTime) * time.Second
	}
	data, how := t.prompt(cellPrompt, want, maxQMTPayload, idle, q.cfg.echo == 1)
	switch {
	case how == promptOver:
		return cellSilent
	case how == promptEscaped && !t.quirks["escape-error"]:
		return cellOK
	case how == promptIdle:
		return t.because(whyShort(want))
	case how != promptDone:
		return cellError
	}
	if q.cfg.hexSend == 1 {
		var err error
		if data, err = hex.DecodeString(string(data)); err != nil {
			return cellError
		}
	}
	p.Payload = data
	previous, used := q.names[p.ID]
	q.names[p.ID] = name
	if q.cellMQTT.publish(t.l, p) {
		return cellOK
	}
	if used { // the identifier belongs to a message that is still on its way
		q.names[p.ID] = previous
	} else {
		delete(q.names, p.ID)
	}
	return cellError
}

// arrived says a message of the server, or puts it away.
func (q *qmtClient) arrived(p *packet.Publish) {
	if q.cfg.buffered == 0 {
		q.c.urc("+QMTRECV: " + q.shown(p))
		return
	}
	i := slices.Index(q.store[:], nil)
	if i < 0 {
		q.c.note("MQTT client %d: a message is dropped, all %d places are taken", q.idx, qmtStoreSlots)
		return
	}
	q.store[i] = p
	q.c.urc("+QMTRECV: " + csv(q.idx, i))
}

// shown is a message as it is printed. The payload stands between quotes as
// it is, quotes and line ends inside and all.
func (q *qmtClient) shown(p *packet.Publish) string {
	payload := string(p.Payload)
	if q.cfg.hexReceive == 1 {
		payload = fmt.Sprintf("%X", p.Payload)
	}
	length := ""
	if q.cfg.showLength == 1 {
		length = fmt.Sprintf("%d,", len(p.Payload))
	}
	return fmt.Sprintf(`%d,%d,"%s",%s"%s"`, q.idx, p.ID, p.Topic, length, payload)
}

// qmtrecv fetches a message that was put away, the oldest place first.
func (t *cellTurn) qmtrecv() cellResult {
	q := t.qmtClient()
	i := t.numberOr(-1, 0, qmtStoreSlots-1)
	if !t.end() {
		return cellError
	}
	if i < 0 {
		i = slices.IndexFunc(q.store[:], func(p *packet.Publish) bool { return p != nil })
	}
	if i < 0 || q.store[i] == nil {
		return cellError
	}
	t.say("+QMTRECV: " + q.shown(q.store[i]))
	q.store[i] = nil
	return cellOK
}

// qmtstored shows which places of the open clients are taken.
func (t *cellTurn) qmtstored() cellResult {
	for _, q := range t.ec20.qmt {
		if q.link == nil {
			continue
		}
		fields := []int{q.idx}
		for _, p := range q.store {
			fields = append(fields, number(p != nil))
		}
		t.say("+QMTRECV: " + csv(fields...))
	}
	return cellOK
}
