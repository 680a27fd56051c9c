//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// payloadBytes is how long the payload of a plain message is. It begins with
// the header that stamp writes.
const (
	payloadBytes = 100
	stampBytes   = 16
)

// drainPatience is how long the last messages may be on their way.
const drainPatience = 10 * time.Second

// A load is messages from some clients of a fleet to others, with all that is
// counted about them. Each message carries its sender, its number and the time
// it was sent: a message lost, doubled or out of order shows.
type load struct {
	f      *fleet
	pubs   []*conn
	qos    byte
	window uint32        // messages that each publisher may have unfinished; 0: any number
	every  time.Duration // with window 0: the time from one message to the next, of all publishers together
	vendor *vendor       // publishers post properties as its devices do and are answered themselves; nil: plain messages

	epoch      time.Time
	stopped    bool
	next       time.Time
	turnOf     int
	delivered  int64 // in all, copies counted
	disordered int64
	delays     histogram
}

// start makes the load ready. copies is how many deliveries finish a message.
func (l *load) start(copies int) {
	l.epoch = time.Now()
	l.next = l.epoch
	for _, c := range l.pubs {
		c.copies = uint32(copies)
	}
	l.f.handle = l.take
}

// run sends for d.
func (l *load) run(ctx context.Context, d time.Duration) error {
	l.stopped = false
	end := time.Now().Add(d)
	if l.window > 0 {
		for _, c := range l.pubs {
			l.fill(c)
		}
	} else {
		l.next = time.Now()
	}
	for {
		now := time.Now()
		if !now.Before(end) {
			return nil
		}
		wait := min(end.Sub(now), 100*time.Millisecond)
		if l.window == 0 {
			l.pace(now)
			wait = min(wait, time.Until(l.next))
		}
		if err := l.f.turn(wait); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// drain stops sending and waits until all that was sent is finished, or nothing
// has come for drainPatience.
func (l *load) drain(ctx context.Context) error {
	l.stopped = true
	last, since := l.delivered, time.Now()
	for l.unfinished() > 0 {
		if err := l.f.turn(50 * time.Millisecond); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if l.delivered != last {
			last, since = l.delivered, time.Now()
		}
		if time.Since(since) > drainPatience {
			return nil // what is missing is counted by lost
		}
	}
	return nil
}

// pace sends what is due.
func (l *load) pace(now time.Time) {
	for !l.next.After(now) {
		l.send(l.pubs[l.turnOf])
		l.turnOf = (l.turnOf + 1) % len(l.pubs)
		l.next = l.next.Add(l.every)
	}
}

// fill sends as much as the window allows.
func (l *load) fill(c *conn) {
	for !l.stopped && c.seq-c.finished(l.qos) < l.window {
		l.send(c)
	}
}

// finished is how many of c's messages are delivered and, above QoS 0,
// acknowledged.
func (c *conn) finished(qos byte) uint32 {
	done := c.got / c.copies
	if qos > 0 {
		done = min(done, c.acked)
	}
	return done
}

func (l *load) send(c *conn) {
	t := &c.t
	if t.id > 0 {
		if c.nextID++; c.nextID == 0 {
			c.nextID = 1
		}
		binary.BigEndian.PutUint16(t.frame[t.id:], c.nextID)
	}
	if l.vendor != nil {
		l.vendor.stamp(t.frame[t.payload:], c.seq)
	} else {
		stamp(t.frame[t.payload:], int64(time.Since(l.epoch)), uint32(c.index), c.seq)
	}
	c.seq++
	c.write(t.frame)
}

func stamp(payload []byte, at int64, sender, seq uint32) {
	binary.BigEndian.PutUint64(payload, uint64(at))
	binary.BigEndian.PutUint32(payload[8:], sender)
	binary.BigEndian.PutUint32(payload[12:], seq)
}

// take handles what a server sends.
func (l *load) take(c *conn, first byte, body []byte) error {
	switch first >> 4 {
	case puback:
		c.acked++
		if l.window > 0 {
			l.fill(c)
		}
	case publish:
		id, payload, err := cutPublish(first, body)
		if err != nil {
			return err
		}
		if id > 0 {
			c.out = appendPuback(c.out, id)
			c.mark()
		}
		if l.vendor != nil {
			return l.answered(c, payload)
		}
		return l.arrived(c, payload)
	}
	return nil
}

// arrived counts the delivery of a plain message to c.
func (l *load) arrived(c *conn, payload []byte) error {
	if len(payload) < stampBytes {
		return fmt.Errorf("a message of %d bytes came that nobody sent", len(payload))
	}
	sender := binary.BigEndian.Uint32(payload[8:])
	seq := binary.BigEndian.Uint32(payload[12:])
	if int(sender) >= len(l.f.conns) {
		return fmt.Errorf("a message came whose sender %d does not exist", sender)
	}
	from := l.f.conns[sender]
	awaited := &from.got
	if from.copies > 1 {
		awaited = &c.expect
	}
	if seq != *awaited {
		l.disordered++
	}
	if from.copies > 1 {
		c.expect++
	}
	from.got++
	l.delivered++
	l.delays.add(int64(time.Since(l.epoch)) - int64(binary.BigEndian.Uint64(payload)))
	if l.window > 0 {
		l.fill(from)
	}
	return nil
}

// unfinished counts messages that are not delivered, or above QoS 0 not
// acknowledged.
func (l *load) unfinished() (n int64) {
	for _, c := range l.pubs {
		n += int64(c.seq - c.finished(l.qos))
	}
	return n
}

// sent counts the messages sent.
func (l *load) sent() (n int64) {
	for _, c := range l.pubs {
		n += int64(c.seq)
	}
	return n
}

// lost counts deliveries that did not come.
func (l *load) lost() (n int64) {
	for _, c := range l.pubs {
		n += int64(c.seq)*int64(c.copies) - int64(c.got)
	}
	return n
}

// answered counts the answer to one of c's posts.
func (l *load) answered(c *conn, payload []byte) error {
	seq, ok := numberOf(payload)
	if !ok {
		return fmt.Errorf("a post was answered with %.200q", payload)
	}
	if seq != c.got {
		l.disordered++
	}
	c.got++
	l.delivered++
	l.fill(c)
	return nil
}
