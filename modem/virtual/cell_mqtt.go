package virtual

import (
	"crypto/tls"
	"time"

	"github.com/matou-iot/matou/modem/virtual/onboard"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A cellMQTT is one MQTT client of a module's firmware: the client and its
// connection. What it says on the line is the command family's: see told.
type cellMQTT struct {
	c       *cellular
	idx     int
	client  onboard.Client
	link    *cellLink // nil while closed
	opening bool
	attempt int // counts openings, so that one that was given up knows
	host    string
	port    int
	told    func(l *life, e onboard.Event)
	alarm   func() // stops the timer
}

// closed reports whether the client can be opened.
func (q *cellMQTT) closed() bool { return q.link == nil && !q.opening }

// open connects to a server; opened is told how that went.
func (q *cellMQTT) open(l *life, host string, port int, secure *tls.Config, opened func(err error)) {
	q.opening, q.host, q.port = true, host, port
	q.attempt++
	mine := q.attempt
	to := cellTarget{"MQTT", q.idx, host, port, secure, q.c.cause}
	l.task(func() {
		k, err, ok := q.c.connect(l, to)
		if !ok {
			return
		}
		if !q.opening || q.attempt != mine { // closed meanwhile
			if k != nil {
				k.close("the module closed it")
			}
			return
		}
		q.opening = false
		if err == nil {
			q.link = k
			q.client.Open(onboard.Options{}, time.Now())
			room := func() bool { return q.c.roomForURCs(l) }
			k.serve(room, func(b []byte) { q.apply(l, q.client.Receive(b, time.Now())) }, func(error) {
				if q.link == k {
					q.apply(l, q.client.End())
				}
			})
		}
		opened(err)
	})
}

// apply does what a step of the client asks for.
func (q *cellMQTT) apply(l *life, s onboard.Step) {
	k := q.link
	if k != nil {
		k.cause = q.c.cause
		k.send(s.Write)
		if s.Close {
			k.finish()
			q.link = nil
		}
	}
	for _, e := range s.Events {
		q.told(l, e)
		if d, ok := e.(onboard.Done); ok {
			q.explainRefusal(l, d)
		}
	}
	q.rearm(l)
}

// rearm sets the timer for what the client has to do next. Its times are the
// network's: they are as long as ever on a faster module.
func (q *cellMQTT) rearm(l *life) {
	if q.alarm != nil {
		q.alarm()
		q.alarm = nil
	}
	next := q.client.Next()
	if next.IsZero() {
		return
	}
	q.alarm = l.afterReal(max(0, time.Until(next)), func() {
		q.alarm = nil
		q.apply(l, q.client.Tick(time.Now()))
	})
}

// do runs an operation of the client.
func (q *cellMQTT) do(l *life, s onboard.Step, err error) bool {
	if err != nil {
		q.c.why = q.whyNot(err)
		return false
	}
	q.apply(l, s)
	return true
}

// publish sends a message, or loses the connection in the middle of it.
func (q *cellMQTT) publish(l *life, p *packet.Publish) bool {
	s, err := q.client.Publish(p, time.Now())
	if err != nil || !q.c.strikes(faultSendLost) {
		return q.do(l, s, err)
	}
	q.link.sever(s.Write)
	q.link = nil
	q.client.Shut()
	q.told(l, onboard.Failed{Op: onboard.Publish, ID: p.ID})
	q.told(l, onboard.Lost{Cause: onboard.ByPeer})
	q.rearm(l)
	return true
}

// shut closes the connection without a word to the server.
func (q *cellMQTT) shut(l *life) {
	q.opening = false
	if q.link != nil {
		q.link.close("the module closed it")
		q.link = nil
	}
	q.client.Shut()
	q.rearm(l)
}

// loggedIn reports whether the server has accepted the client.
func (q *cellMQTT) loggedIn() bool { return q.client.State() == onboard.Connected }
