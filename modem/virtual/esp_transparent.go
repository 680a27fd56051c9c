package virtual

import (
	"time"
)

// Transparent mode: what the host says goes to the peer, packed by silence.
const (
	packetGap   = 20 * time.Millisecond // silence that ends a packet, and that stands around +++
	typedGap    = time.Second           // the same with the quirk typed-escape
	maxPacket   = 2048
	reconnectIn = time.Second
	escapeText  = "+++"
)

// espPassthrough is AT+CIPSEND alone.
func espPassthrough(c *espCall) result {
	e := c.e
	if e.cipMode != 1 || e.links[0] == nil || e.server != nil || e.mux == 1 {
		return espError
	}
	if e.v2 {
		c.print("\r\nOK\r\n\r\n>")
	} else {
		c.print("\r\nOK\r\n\r\n>")
	}
	e.transparentOn()
	return espSilent
}

func (e *esp) transparentOn() {
	e.state, e.packet = transparent, nil
	e.packetNo++
}

// throughLink is the link that transparent mode speaks to.
func (e *esp) throughLink() *espLink { return e.links[0] }

// collect gathers what arrives until the host is silent or the packet is full.
func (e *esp) collect(l *life, b []byte) {
	for len(b) > 0 {
		n := min(len(b), maxPacket-len(e.packet))
		e.packet = append(e.packet, b[:n]...)
		b = b[n:]
		if len(e.packet) == maxPacket {
			e.pass(l)
		}
	}
	e.packetNo++
	no, gap := e.packetNo, packetGap
	if e.quirks["typed-escape"] && len(e.packet) <= len(escapeText) && string(e.packet) == escapeText[:len(e.packet)] {
		gap = typedGap
	}
	l.afterReal(gap, func() {
		if e.packetNo == no && e.state == transparent {
			e.silence(l)
		}
	})
}

// silence is the end of a packet. The three signs alone end the mode.
func (e *esp) silence(l *life) {
	if string(e.packet) != escapeText {
		e.pass(l)
		return
	}
	e.state, e.packet, e.last = idle, nil, 0
	if e.sysmsg&msgQuit != 0 {
		if e.v2 {
			l.print("\r\n")
		}
		l.print("+QUITT\r\n")
	}
}

// pass sends the packet. Without a connection it is lost.
func (e *esp) pass(l *life) {
	data, k := e.packet, e.throughLink()
	e.packet = nil
	if k == nil || len(data) == 0 {
		return
	}
	if e.strikes(faultSendLost) {
		e.lost(l, k, "the fault "+faultSendLost)
		return
	}
	e.outbox = append(e.outbox, data)
	if len(e.outbox) > 1 {
		return // somebody is at it
	}
	l.task(func() {
		for len(e.outbox) > 0 {
			k := e.throughLink()
			if k != nil {
				err, ok := e.write(l, k, e.outbox[0], k.peer)
				if !ok {
					return
				}
				if err != nil {
					e.lost(l, k, err.Error())
				}
			}
			if len(e.outbox) > 0 {
				e.outbox = e.outbox[1:]
			}
		}
	})
}

// reconnect makes a lost connection again, once a second, as long as the mode
// lasts.
func (e *esp) reconnect(l *life, old *espLink) {
	for {
		if !l.sleep(reconnectIn) || e.state != transparent || e.links[0] != nil {
			return
		}
		if e.status != gotIP {
			continue
		}
		k := &espLink{id: old.id, kind: old.kind, local: old.local, udpMode: old.udpMode}
		if old.kind != "UDP" {
			k.local = 0
		}
		if err, ok := e.open(l, k, old.ip, old.port); !ok || err == nil {
			return
		}
	}
}

// resumeTransparent goes into the mode after a start, as AT+SAVETRANSLINK
// asked, without a prompt.
func (e *esp) resumeTransparent(l *life) {
	t := e.flash.trans
	e.cipMode = 1
	e.transparentOn()
	if !l.await(func() bool { return e.status == gotIP || e.state != transparent }) || e.state != transparent {
		return
	}
	for e.state == transparent {
		k := &espLink{kind: t.kind, local: t.local}
		if err, ok := e.open(l, k, t.host, t.port); !ok || err == nil {
			return
		}
		if !l.sleep(reconnectIn) {
			return
		}
	}
}
