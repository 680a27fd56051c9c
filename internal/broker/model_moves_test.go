package broker_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A move is one thing that happens. It knows nothing of what happened before,
// so that a list of moves stays one when some are left out; a move of a client
// that is not there does nothing.
type move interface{ play(*game) }

// modelClients is how many clients play. The first half speaks 3.1.1 for
// preference, the other 5.0.
const modelClients = 6

// What they talk about: few topics, many filters that overlap.
var (
	modelTopics  = []string{"a", "a/b", "a/b/c", "b", "b/c", "/a", "a/", "$x/a", "deny/x"}
	modelFilters = []string{
		"a", "a/b", "a/+", "a/#", "#", "+", "+/b", "+/+", "b/#", "/+", "$x/#", "$x/+", "w/+", "w/0", "+/#", "a/+/c",
		"$share/g/a/#", "$share/g/a/b", "$share/h/+/b", "$share/g/#", "$share/h/b", "deny/#", "a#", "a/#/b",
	}
)

type connect struct {
	Client     int
	Version    mqtt.Version
	Clean      bool
	Expiry     uint32 // 5.0, 0: none asked for
	Will       bool
	WillQoS    mqtt.QoS
	WillRetain bool
	WillDelay  uint32
	WillExpiry uint32
	Window     uint16 // Receive Maximum, 0: none
	Aliases    uint16 // Topic Alias Maximum
	MaxPacket  uint32 // Maximum Packet Size, without Aliases
	KeepAlive  uint16
	Auto       bool // acknowledge at once
}

func (x connect) play(g *game) {
	p := &packet.Connect{ProtocolName: "MQTT", Version: x.Version, CleanStart: x.Clean, ClientID: clientID(x.Client), KeepAlive: x.KeepAlive}
	c := &refConn{window: g.m.limits.Inflight, keepAlive: time.Duration(x.KeepAlive) * time.Second}
	var will packet.Properties
	if x.Version == mqtt.V5 {
		props := packet.Properties{}
		if x.Expiry > 0 {
			props.SessionExpiry = &x.Expiry
			c.expiry = min(time.Duration(x.Expiry)*time.Second, g.m.limits.SessionExpiry)
		}
		if x.Window > 0 {
			props.ReceiveMaximum = &x.Window
			c.window = min(c.window, int(x.Window))
		}
		if x.MaxPacket > 0 && x.Aliases == 0 {
			props.MaximumPacketSize, c.maxPacket = &x.MaxPacket, int(x.MaxPacket)
		}
		if x.Aliases > 0 {
			props.TopicAliasMaximum = &x.Aliases
		}
		p.Properties = &props
		c.ours = g.m.limits.ReceiveMaximum
		will.ContentType = "will"
		if x.WillExpiry > 0 {
			will.MessageExpiry = &x.WillExpiry
		}
	} else if !x.Clean {
		c.expiry = g.m.limits.SessionExpiry
	}
	if x.Will {
		topic, payload, retain := "w/"+fmt.Sprint(x.Client), g.payload(x.Client), x.WillRetain && g.retain
		c.will = &refWill{m: refMessage{topic: topic, payload: payload, qos: x.WillQoS, props: will}, retain: retain}
		p.Will = &packet.Will{Topic: topic, Payload: []byte(payload), QoS: x.WillQoS, Retain: retain}
		if x.Version == mqtt.V5 {
			c.will.delay = time.Duration(x.WillDelay) * time.Second
			if x.WillDelay > 0 {
				will.WillDelay = &x.WillDelay
			}
			p.Will.Properties = &will
		}
	}
	l := g.dial(x.Version)
	l.ref, l.auto, l.client = c, x.Auto, x.Client
	l.put(p)
	g.m.connect(p.ClientID, x.Version, x.Clean, c)
	g.at[x.Client] = l
}

func clientID(n int) string { return fmt.Sprintf("c%d", n) }

// keepsSubscriptions says whose subscriptions hold for ever.
func keepsSubscriptions(id string) bool { return id == clientID(1) || id == clientID(4) }

type subscribe struct {
	Client  int
	ID      uint32 // subscription identifier, 0: none
	Filters []packet.Subscription
}

func (x subscribe) play(g *game) {
	l := g.at[x.Client]
	if l == nil {
		return
	}
	p := &packet.Subscribe{ID: g.packetID()}
	for _, f := range x.Filters {
		if _, shared := refShared(f.Filter); shared || l.version != mqtt.V5 {
			f.NoLocal = false
		}
		if l.version != mqtt.V5 {
			f.RetainAsPublished, f.RetainHandling = false, 0
		}
		p.Subscriptions = append(p.Subscriptions, f)
	}
	var id uint32
	if l.version == mqtt.V5 && x.ID != 0 {
		id = x.ID
		p.Properties = &packet.Properties{SubscriptionIDs: []uint32{id}}
	}
	l.put(p)
	g.m.subscribe(l.ref, p.ID, p.Subscriptions, id)
}

type unsubscribe struct {
	Client  int
	Filters []string
}

func (x unsubscribe) play(g *game) {
	if l := g.at[x.Client]; l != nil {
		p := &packet.Unsubscribe{ID: g.packetID(), Filters: x.Filters}
		l.put(p)
		g.m.unsubscribe(l.ref, p.ID, x.Filters)
	}
}

type publish struct {
	Client   int
	Messages []message // in one write
	Then     bool      // something illegal after them
}

type message struct {
	Topic    string
	QoS      mqtt.QoS
	ID       uint16
	Retain   bool
	Empty    bool
	Expiry   uint32
	Props    bool
	Alias    uint16
	Released bool // followed by its PUBREL
}

func (x publish) play(g *game) {
	if l := g.at[x.Client]; l != nil {
		x.say(g, l)
		l.flush()
	}
}

// say puts the messages into l's next write.
func (x publish) say(g *game, l *link) {
	for _, m := range x.Messages {
		p, ref := m.make(g, l)
		l.write(p)
		if !g.m.publish(l.ref, p.ID, ref, p.Retain) {
			return
		}
		if m.QoS == 2 && m.Released {
			l.write(&packet.Pubrel{ID: p.ID})
			g.m.pubrel(l.ref, p.ID)
		}
	}
	if x.Then {
		l.bytes = append(l.bytes, 0x00, 0x00)
		g.fault(l)
	}
}

// make says m as l's client and as the reference sees it.
func (m message) make(g *game, l *link) (*packet.Publish, *refMessage) {
	p := &packet.Publish{QoS: m.QoS, Retain: m.Retain && g.retain, Topic: []byte(m.Topic)}
	ref := &refMessage{topic: m.Topic, qos: m.QoS}
	if !m.Empty {
		ref.payload = g.payload(l.client)
		p.Payload = []byte(ref.payload)
	}
	if m.QoS > 0 {
		p.ID = m.ID
	}
	if l.version != mqtt.V5 {
		return p, ref
	}
	var props packet.Properties
	if m.Props {
		props.UserProperties = []packet.UserProperty{{Name: "k", Value: "1"}, {Name: "k", Value: "2"}}
		props.ResponseTopic, props.CorrelationData = "re/x", []byte{0, 1}
	}
	ref.props = props
	if m.Expiry > 0 {
		props.MessageExpiry = &m.Expiry
		ref.expires = g.m.now.Add(time.Duration(m.Expiry) * time.Second)
	}
	if m.Alias > 0 {
		props.TopicAlias = &m.Alias
		if known := l.named[m.Alias]; known != "" {
			p.Topic, ref.topic = nil, known
		}
		l.named[m.Alias] = ref.topic
	}
	p.Properties = &props
	return p, ref
}

// atOnce is several clients that publish at the same time, each to its own
// topic, which no shared subscription matches: whose turn it would be is
// anybody's guess.
type atOnce struct{ Each []publish }

func (x atOnce) play(g *game) {
	if !g.retain || g.m.limits.ReceiveMaximum < 1000 {
		return // what is dropped, or who is faulty, would be anybody's guess too
	}
	g.rounds++
	g.m.round = g.rounds
	var all sync.WaitGroup
	for _, p := range x.Each {
		l := g.at[p.Client]
		if l == nil || l.ref.keepAlive > 0 {
			continue // two keep-alives would end at the same moment
		}
		for i := range p.Messages {
			p.Messages[i].Topic, p.Messages[i].Alias = "$x/"+clientID(p.Client), 0
		}
		p.say(g, l)
		l.ref.seen = g.m.now
		b := l.bytes
		l.bytes = nil
		all.Go(func() { l.conn.Write(b) })
	}
	all.Wait()
	g.m.round = 0
}

// announce is what the house says to its clients.
type announce struct {
	Client  int // whom, -1: all subscribers
	Message message
	How     broker.Delivery
}

func (x announce) play(g *game) {
	m := broker.Message{Topic: x.Message.Topic, Payload: []byte(g.payload(9)), QoS: x.Message.QoS, Retain: x.Message.Retain && g.retain}
	ref := &refMessage{topic: m.Topic, payload: string(m.Payload), qos: m.QoS}
	if x.Message.Expiry > 0 {
		m.Expiry = g.m.now.Add(time.Duration(x.Message.Expiry) * time.Second)
		ref.expires = m.Expiry
	}
	if x.Message.Props {
		m.Properties = &packet.Properties{ContentType: "told"}
		ref.props = *m.Properties
	}
	if x.Client < 0 {
		g.b.Publish(m)
		g.m.route("", ref, m.Retain)
		return
	}
	got, want := g.b.Send(clientID(x.Client), m, x.How), g.m.send(clientID(x.Client), ref, m.Retain, x.How)
	if got != want {
		g.fail(fmt.Errorf("Send says %v, want %v", got, want))
	}
}

// kick is the house that ends a connection, or a session with all it has.
type kick struct {
	Client int
	Forget bool
}

func (x kick) play(g *game) {
	if x.Forget {
		g.b.Forget(clientID(x.Client))
	} else {
		g.b.Disconnect(clientID(x.Client), mqtt.AdministrativeAction)
	}
	g.m.kick(clientID(x.Client), x.Forget)
}

// again sends a QoS 2 message whose PUBREL is due once more.
type again struct {
	Client int
	ID     uint16
}

func (x again) play(g *game) {
	l := g.at[x.Client]
	if l == nil || !l.ref.s.received[x.ID] {
		return
	}
	l.put(&packet.Publish{Dup: true, QoS: 2, ID: x.ID, Topic: []byte("a"), Payload: []byte("again")})
	g.m.publish(l.ref, x.ID, &refMessage{topic: "a", qos: 2}, false)
}

type release struct {
	Client int
	ID     uint16
}

func (x release) play(g *game) {
	if l := g.at[x.Client]; l != nil {
		l.put(&packet.Pubrel{ID: x.ID})
		g.m.pubrel(l.ref, x.ID)
	}
}

// ack acknowledges some of what the client owes an acknowledgement for.
type ack struct {
	Client int
	From   int
	Count  int
	Fail   bool // QoS 2, 5.0: refused
}

func (x ack) play(g *game) {
	l := g.at[x.Client]
	if l == nil {
		return
	}
	from := min(x.From, len(l.owed))
	list := slices.Clone(l.owed[from:min(from+x.Count, len(l.owed))])
	l.owed = slices.Delete(l.owed, from, from+len(list))
	g.acknowledge(l, list, x.Fail)
}

// junk is an acknowledgement that nobody waits for, mostly.
type junk struct {
	Client int
	Type   packet.Type
	ID     uint16
}

func (x junk) play(g *game) {
	l := g.at[x.Client]
	if l == nil {
		return
	}
	switch x.Type {
	case packet.TypePuback:
		l.put(&packet.Puback{ID: x.ID})
		g.m.puback(l.ref, x.ID)
	case packet.TypePubrec:
		l.put(&packet.Pubrec{ID: x.ID})
		g.m.pubrec(l.ref, x.ID, false)
	case packet.TypePubcomp:
		l.put(&packet.Pubcomp{ID: x.ID})
		g.m.pubcomp(l.ref, x.ID)
	}
	l.owed = slices.DeleteFunc(l.owed, func(o owed) bool { _, e := l.ref.s.exchange(o.id); return e == nil })
}

type ping struct{ Client int }

func (x ping) play(g *game) {
	if l := g.at[x.Client]; l != nil {
		l.put(&packet.Pingreq{})
		l.ref.answers = append(l.ref.answers, "PINGRESP")
	}
}

type disconnect struct {
	Client int
	Reason mqtt.ReasonCode // 5.0
	Expiry int             // of the session from now on, -1: as it was
}

func (x disconnect) play(g *game) {
	l := g.at[x.Client]
	if l == nil {
		return
	}
	p := &packet.Disconnect{}
	c := l.ref
	if l.version == mqtt.V5 {
		p.Reason = x.Reason
		if x.Expiry >= 0 {
			n := uint32(x.Expiry)
			p.Properties = &packet.Properties{SessionExpiry: &n}
			if c.expiry == 0 && x.Expiry > 0 {
				l.put(p)
				g.fault(l)
				return
			}
			c.expiry = min(time.Duration(x.Expiry)*time.Second, g.m.limits.SessionExpiry)
		}
	}
	if p.Reason == 0 {
		c.will = nil
	}
	l.put(p)
	g.m.end(c, broker.Disconnected, "")
	g.at[x.Client] = nil
}

// drop is the end of the network connection.
type drop struct{ Client int }

func (x drop) play(g *game) {
	if l := g.at[x.Client]; l != nil {
		l.conn.Close()
		l.gone = true
		g.m.end(l.ref, broker.Lost, "")
		g.at[x.Client] = nil
	}
}

// mischief is a packet that ends its connection.
type mischief struct {
	Client int
	What   int
}

// modelFaults are packets that no client may send, as hex.
var modelFaults = []struct {
	name   string
	v3, v5 string // "" where it is legal
}{
	{"a second CONNECT", "100e 0004'MQTT'04 02 0000 0002'c0'", "100f 0004'MQTT'05 02 0000 00 0002'c0'"},
	{"SUBSCRIBE without a filter", "8202 0001", "8203 0001 00"},
	{"SUBSCRIBE without its flags", "8006 0001 0001'a' 00", "8007 0001 00 0001'a' 00"},
	{"SUBSCRIBE with QoS 3", "8206 0001 0001'a' 03", "8207 0001 00 0001'a' 03"},
	{"SUBSCRIBE with identifier 0", "8206 0000 0001'a' 00", "8207 0000 00 0001'a' 00"},
	{"No Local on a share", "", "8212 0001 00 000c'$share/g/a/b' 04"},
	{"Retain Handling 3", "", "8207 0001 00 0001'a' 30"},
	{"UNSUBSCRIBE without a filter", "a202 0001", "a203 0001 00"},
	{"PUBLISH to a wildcard", "3005 0003'a/#'", "3006 0003'a/#'00"},
	{"PUBLISH to no topic", "3002 0000", "3003 0000 00"},
	{"PUBLISH with QoS 3", "3605 0001'a' 0001", "3606 0001'a' 0001 00"},
	{"PUBLISH with identifier 0", "3205 0001'a' 0000", "3206 0001'a' 0000 00"},
	{"PUBLISH again with QoS 0", "3803 0001'a'", "3804 0001'a' 00"},
	{"a topic that is not UTF-8", "3003 0001 ff", "3004 0001 ff 00"},
	{"a topic with a NUL", "3003 0001 00", "3004 0001 00 00"},
	{"a topic longer than the packet", "3003 0009'a'", "3003 0009'a'"},
	{"alias 0", "", "3007 0001'a' 03 23 0000"},
	{"an alias above the maximum", "", "3007 0001'a' 03 23 0100"},
	{"an alias that names nothing", "", "3006 0000 03 23 0004"},
	{"a subscription identifier of a client", "", "3006 0001'a' 02 0b 01"},
	{"a property twice", "", "3008 0001'a' 04 01 00 01 00"},
	{"SUBACK", "9003 0001 00", "9004 0001 00 00"},
	{"PINGRESP", "d000", "d000"},
	{"PUBREL without its flags", "6002 0001", "6002 0001"},
	{"type 0", "0000", "0000"},
	{"type 15", "f000", "f000"},
	{"a length that never ends", "30 ffffffffff", "30 ffffffffff"},
	{"more than the server takes", "30 ffffff7f", "30 ffffff7f"},
	{"DISCONNECT with flags", "e100", "e100"},
}

func (x mischief) play(g *game) {
	l := g.at[x.Client]
	if l == nil {
		return
	}
	what := modelFaults[x.What].v3
	if l.version == mqtt.V5 {
		what = modelFaults[x.What].v5
	}
	if what == "" {
		return
	}
	l.bytes = append(l.bytes, wire(g.t, what)...)
	l.flush()
	g.fault(l)
}

// stranger says something that is no CONNECT, or a broken one.
type stranger struct{ What int }

var modelStrangers = []string{
	"c000", "3003 0001'a'", "e000", "0000", "10 ffffffff7f", "1000", "100c 0004'MQTT'09 02 0000 0000", "100c 0004'MQTT'04 03 0000 0000",
	"100c 0004'MQTT'04 00 0000 0000", "100d 0004'MQTT'05 02 0000 00 0005", "16 03 01 00 05 01 00 00 01 00", "8206 0001 0001'a' 00",
	"1013 0006'MQIsdp'03 02 0000 0005", "1010 0004'MQTT'04 06 0000 0002'c0' 0000",
}

func (x stranger) play(g *game) {
	l := g.dial(mqtt.V311)
	l.bytes = wire(g.t, modelStrangers[x.What])
	l.flush()
	g.wait()
	l.conn.Close()
	l.gone = true
}

type advance struct{ Seconds int }

func (x advance) play(g *game) {
	for range x.Seconds {
		g.pass(time.Second)
		if g.settle(); g.err != nil {
			return
		}
	}
}

type restart struct{}

func (restart) play(g *game) { g.restart() }

// draw makes a random move.
func draw(r *rand.Rand) move {
	c := r.IntN(modelClients)
	one := func(n int) bool { return r.IntN(n) == 0 }
	qos := func() mqtt.QoS { return mqtt.QoS(r.IntN(3)) }
	pick := func(list ...uint32) uint32 { return list[r.IntN(len(list))] }
	switch n := r.IntN(100); {
	case n < 14:
		x := connect{
			Client: c, Version: mqtt.V311, Clean: one(3), Expiry: pick(0, 3, 10, 40, 1<<32-1), Will: one(2), WillQoS: qos(), WillRetain: one(2),
			WillDelay: pick(0, 0, 2, 5, 20), WillExpiry: pick(0, 0, 3), Window: uint16(pick(0, 1, 2, 5)), Aliases: uint16(pick(0, 0, 2)), MaxPacket: pick(0, 0, 30, 60),
			KeepAlive: uint16(pick(0, 0, 0, 4)), Auto: one(2),
		}
		if (c >= modelClients/2) != one(6) {
			x.Version = mqtt.V5
		}
		return x
	case n < 30:
		x := subscribe{Client: c, ID: pick(0, 0, 1, 2, 300)}
		for range 1 + r.IntN(3) {
			x.Filters = append(x.Filters, packet.Subscription{
				Filter: modelFilters[r.IntN(len(modelFilters))], QoS: qos(), NoLocal: one(3), RetainAsPublished: one(2), RetainHandling: byte(r.IntN(3)),
			})
		}
		return x
	case n < 35:
		x := unsubscribe{Client: c}
		for range 1 + r.IntN(3) {
			x.Filters = append(x.Filters, modelFilters[r.IntN(len(modelFilters))])
		}
		return x
	case n < 58:
		return drawPublish(r, c)
	case n < 60:
		x := atOnce{}
		for c := range modelClients {
			if p := drawPublish(r, c); !one(3) {
				p.Then = false
				x.Each = append(x.Each, p)
			}
		}
		return x
	case n < 62:
		x := announce{Client: r.IntN(modelClients+1) - 1, Message: drawPublish(r, c).Messages[0], How: broker.Delivery(r.IntN(2))}
		return x
	case n < 74:
		return ack{Client: c, From: max(0, r.IntN(6)-4), Count: 1 + r.IntN(4), Fail: one(8)}
	case n < 78:
		return release{Client: c, ID: uint16(1 + r.IntN(6))}
	case n < 80:
		return again{Client: c, ID: uint16(1 + r.IntN(5))}
	case n < 82:
		return junk{Client: c, Type: packet.Type(pick(4, 5, 7)), ID: uint16(1 + r.IntN(12))}
	case n < 83:
		return ping{c}
	case n < 87:
		return disconnect{Client: c, Reason: mqtt.ReasonCode(pick(0, 0, 0, 4, 0x80, 0x93)), Expiry: int(pick(0, 1, 1, 1, 1, 6)) - 1}
	case n < 91:
		return drop{c}
	case n < 94:
		return mischief{Client: c, What: r.IntN(len(modelFaults))}
	case n < 95:
		return stranger{r.IntN(len(modelStrangers))}
	case n < 96:
		return kick{Client: c, Forget: one(2)}
	case n < 99:
		return advance{1 + r.IntN(6)}
	}
	return restart{}
}

func drawPublish(r *rand.Rand, c int) publish {
	one := func(n int) bool { return r.IntN(n) == 0 }
	x := publish{Client: c, Then: one(20)}
	for range 1 + max(0, r.IntN(8)-4) {
		m := message{
			Topic: modelTopics[r.IntN(len(modelTopics))], QoS: mqtt.QoS(r.IntN(3)), ID: uint16(1 + r.IntN(5)), Retain: one(3), Empty: one(6),
			Props: one(3), Released: one(2),
		}
		if one(2) {
			m.Expiry = uint32(2 + 6*r.IntN(2))
		}
		if one(2) {
			m.Alias = uint16(1 + r.IntN(2))
		}
		x.Messages = append(x.Messages, m)
	}
	return x
}
