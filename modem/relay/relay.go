// Package relay lets an MQTT client speak through a module that has an MQTT
// client of its own, where it has no sockets or they are not to be used.
//
// A Relay makes net.Conns that take MQTT 3.1.1 as a broker does and have the
// module say it: CONNECT becomes its login, PUBLISH and SUBSCRIBE its commands,
// whose acknowledgement is that of the module, and what it receives comes as
// PUBLISH. PINGREQ is answered here, for the module pings the broker itself.
//
//	r := relay.New(relay.Options{Host: "broker", Port: 1883})
//	c := client.New(client.Options{
//		Dial: func(context.Context) (net.Conn, error) { return r.Conn(module), nil },
//		…
//	})
//
// What cannot be said through a module: MQTT 5 and 3.1; DUP, so that a message
// sent again is a new one to the broker, also at QoS 2; the QoS and RETAIN of
// what is received, which comes at QoS 0; whether the broker had kept a
// session, so that it seems to have kept none; received messages that the module
// hands over in pieces, see ErrPieces. A connection that ends without
// DISCONNECT logs out all the same, if the module still can: no will is sent.
package relay

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Options say which broker the module logs in to.
type Options struct {
	Host string
	Port int
	TLS  bool // the module's own
	// Aliyun has the module sign for Alibaba Cloud IoT itself: of what CONNECT
	// says, only what stands in the client identifier before its parameters is
	// used. nil: user name and password are said as they are.
	Aliyun *aliyun.Triple
	// Lost is told of messages that came and cannot be passed on, one after
	// another. nil: they are logged.
	Lost func(topic string, err error)
	Log  *slog.Logger // nil: discard
}

// ErrPieces is why a message is lost that the module hands over in pieces: how
// many there are it does not say.
var ErrPieces = wording.Errorf("the message is longer than the module's MQTT client hands over at once, and was dropped: send less at a time, or speak MQTT over a socket of the module")

// A Relay is the way to one broker. It may be used with one module after
// another.
type Relay struct {
	o Options

	mu      sync.Mutex
	refused refusal // of the last message that a module did not take
}

// A refusal is a message that a module did not take although it should have.
type refusal struct {
	message [sha256.Size]byte
	times   int // 0: there is none
	err     error
}

// tries is how often a message is sent that the module answers ERROR to.
const tries = 2

// New makes a Relay.
func New(o Options) *Relay {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Lost == nil {
		o.Lost = func(topic string, err error) { o.Log.Warn("message lost", "topic", topic, "err", err) }
	}
	return &Relay{o: o}
}

// Conn is a connection to the broker through a module; the module logs in when
// CONNECT is written. It is a client.Checker: what the module is known not to
// take is refused before it is sent, and a message that the module refused
// twice as well, lest it stand in the way of all that follow.
func (r *Relay) Conn(m modem.Messenger) net.Conn {
	ours, theirs := net.Pipe()
	l := newLink(r, m, theirs)
	l.over.Go(l.read)
	l.over.Go(l.work)
	return &conn{Conn: ours, link: l}
}

// remember notes that a module did not take a message.
func (r *Relay) remember(m modem.Message, err error) {
	digest := digestOf(m)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused.message != digest {
		r.refused = refusal{message: digest}
	}
	r.refused.times++
	if errors.Is(err, errors.ErrUnsupported) { // it was not even sent, and never will be
		r.refused.times = tries
	}
	r.refused.err = err
}

// given reports why a message was given up, and forgets it.
func (r *Relay) given(m modem.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused.times < tries || r.refused.message != digestOf(m) {
		return nil
	}
	err := r.refused.err
	r.refused = refusal{}
	return fmt.Errorf("the message was given up: %w", err)
}

func digestOf(m modem.Message) [sha256.Size]byte {
	b := binary.BigEndian.AppendUint32([]byte{byte(m.QoS)}, uint32(len(m.Topic)))
	return sha256.Sum256(append(append(b, m.Topic...), m.Payload...))
}

// messageOf is the message of a PUBLISH.
func messageOf(p *packet.Publish) modem.Message {
	return modem.Message{Topic: string(p.Topic), Payload: p.Payload, QoS: p.QoS, Retain: p.Retain}
}
