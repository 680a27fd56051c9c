package relay

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A module may still be clearing a login away that failed.
const (
	clearing = 40 * time.Second
	lookIn   = 250 * time.Millisecond
)

// carry has the module do what a packet says, and answers it.
func (l *link) carry(p packet.Packet) error {
	switch p := p.(type) {
	case *packet.Connect:
		return l.connect(p)
	case *packet.Publish:
		return l.publish(p)
	case *packet.Pubrel: // the module has settled it with the broker long since
		return l.say(&packet.Pubcomp{ID: p.ID})
	case *packet.Subscribe:
		return l.subscribe(p)
	case *packet.Unsubscribe:
		return l.unsubscribe(p)
	case *packet.Disconnect:
		return errLeft
	case *packet.Puback, *packet.Pubrec, *packet.Pubcomp:
		return nil // of nothing that was sent, for all comes at QoS 0
	}
	return &packet.Error{Packet: p.Type().String(), Clause: "MQTT3 §2.2.1", Detail: "a client does not send it", Reason: mqtt.ProtocolError}
}

// connect logs the module in.
func (l *link) connect(p *packet.Connect) error {
	login, err := l.relay.login(p)
	if err != nil {
		return err
	}
	s, err := l.logIn(login)
	const lastCode = 5 // that 3.1.1 has
	if refused, ok := errors.AsType[*modem.LoginError](err); ok && 0 < refused.Code && refused.Code <= lastCode {
		l.say(&packet.Connack{Reason: packet.ReasonOf(byte(refused.Code))})
	}
	if err != nil {
		return err
	}
	l.session = s
	if err := l.greet(); err != nil {
		return err
	}
	l.over.Go(func() { l.watch(s) })
	l.over.Go(l.probe)
	return nil
}

// login is the login that a CONNECT asks for.
func (r *Relay) login(p *packet.Connect) (modem.Login, error) {
	login := modem.Login{
		Host: r.o.Host, Port: r.o.Port, TLS: r.o.TLS,
		ClientID: p.ClientID, Username: p.Username, Password: string(p.Password),
		KeepAlive: time.Duration(p.KeepAlive) * time.Second, KeepSession: !p.CleanStart,
	}
	switch {
	case p.Version != mqtt.V311:
		return login, errVersion
	case p.ClientID == "":
		return login, errNobody
	}
	if r.o.Aliyun != nil {
		login.Aliyun, login.Username, login.Password = r.o.Aliyun, "", ""
		login.ClientID, _, _ = strings.Cut(login.ClientID, "|")
	}
	if w := p.Will; w != nil {
		login.Will = &modem.Message{Topic: w.Topic, Payload: w.Payload, QoS: w.QoS, Retain: w.Retain}
	}
	return login, nil
}

// logIn waits for a login that failed before to be cleared away.
func (l *link) logIn(login modem.Login) (modem.Session, error) {
	for until := time.Now().Add(clearing); ; {
		s, err := l.module.Connect(l.ctx, login, l.receive)
		if !errors.Is(err, modem.ErrInUse) || time.Now().After(until) || !l.pause(lookIn) {
			return s, err
		}
	}
}

// receive passes on a message that came, but none before CONNACK.
func (l *link) receive(m modem.Message) {
	select {
	case <-l.welcome:
	case <-l.ctx.Done():
		return
	}
	switch m.Piece {
	case modem.FirstPiece:
		l.relay.o.Lost(m.Topic, ErrPieces)
		return
	case modem.NextPiece:
		return
	}
	if err := l.say(&packet.Publish{Topic: []byte(m.Topic), Payload: m.Payload}); err != nil && l.failure() == nil {
		l.relay.o.Lost(m.Topic, err)
	}
}

// publish has the module send a message, which it has acknowledged as its QoS
// asks when it says that it is done.
func (l *link) publish(p *packet.Publish) error {
	m := messageOf(p)
	if err := l.session.Publish(l.ctx, m); err != nil {
		if l.stands() && (errors.Is(err, errors.ErrUnsupported) || refused(err)) {
			l.relay.remember(m, err)
		}
		return err
	}
	switch p.QoS {
	case mqtt.AtLeastOnce:
		return l.say(&packet.Puback{ID: p.ID})
	case mqtt.ExactlyOnce:
		return l.say(&packet.Pubrec{ID: p.ID})
	}
	return nil
}

// stands reports whether the session stands although something failed.
func (l *link) stands() bool { return l.failure() == nil && l.session.Err() == nil }

// refused reports whether the module said no, rather than that it could not
// reach the broker.
func refused(err error) bool {
	return errors.Is(err, modem.ErrRefused) && !errors.Is(err, modem.ErrLost)
}

// subscribe subscribes to one filter after another, as no module takes several
// and tells what became of each.
func (l *link) subscribe(p *packet.Subscribe) error {
	ack := &packet.Suback{ID: p.ID}
	for _, s := range p.Subscriptions {
		granted, err := l.session.Subscribe(l.ctx, s.Filter, s.QoS)
		if err != nil && !(l.stands() && refused(err)) {
			return err
		}
		reason := mqtt.ReasonCode(granted)
		if err != nil {
			l.relay.o.Log.Warn("subscription refused", "filter", s.Filter, "err", err)
			reason = mqtt.UnspecifiedError
		}
		ack.Reasons = append(ack.Reasons, reason)
	}
	return l.say(ack)
}

// unsubscribe has no way to say no [MQTT3 §3.11].
func (l *link) unsubscribe(p *packet.Unsubscribe) error {
	for _, filter := range p.Filters {
		if err := l.session.Unsubscribe(l.ctx, filter); err != nil {
			return fmt.Errorf("unsubscribe from %s: %w", filter, err)
		}
	}
	return l.say(&packet.Unsuback{ID: p.ID})
}
