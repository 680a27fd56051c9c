package virtual

import "strconv"

// espBuffered are the commands of AT 1.x that send in segments without
// waiting for each: numbers instead of SEND OK [ESP8266 AT Instruction Set
// AT+CIPSENDBUF]. How the lines end is a guess.
var espBuffered = map[string]espCommand{
	"+CIPSENDBUF":    {set: espSendBuffer, only: onlyV1},
	"+CIPBUFRESET":   {set: espBufferReset, execute: espBufferReset, only: onlyV1},
	"+CIPBUFSTATUS":  {set: espBufferStatus, execute: espBufferStatus, only: onlyV1},
	"+CIPCHECKSEQ":   {set: espCheckSegment, only: onlyV1},
	"+CIPCHECKQUEUE": {set: espBufferStatus, only: onlyV1},
}

// maxSegments bounds the segments of a link that are on their way.
const maxSegments = 8

// espSegments counts the segments of a link.
type espSegments struct {
	next  int // number of the next one, from 1
	acked int // number of the last one that the peer has
	queue [][]byte
}

// onLink reads the number of the link where several may be open. Only TCP has
// a buffer.
func (c *espCall) onLink() (*espLink, bool) {
	id := 0
	if c.e.mux == 1 {
		n, ok := c.number(0, len(c.e.links)-1)
		if !ok {
			return nil, false
		}
		id = n
	}
	k := c.e.links[id]
	return k, k != nil && k.kind == "TCP"
}

func espSendBuffer(c *espCall) result {
	e := c.e
	if e.cipMode == 1 {
		return c.refuse("IPMODE=1")
	}
	k, ok := c.onLink()
	if !ok {
		return c.refuse("link is not valid")
	}
	n, ok := c.only([2]int{1, maxESPSend})
	if !ok {
		return espError
	}
	s := &k.segments
	if len(s.queue) >= maxSegments {
		return espError
	}
	c.printf("%d,%d\r\n", s.next+1, s.acked)
	c.print(string(espOK))
	data, ok := c.enter(n[0], false, "> ")
	if !ok {
		return espSilent
	}
	c.printf("\r\nRecv %d bytes\r\n", len(data))
	if k.closed {
		return "SEND FAIL\r\n"
	}
	s.next++
	s.queue = append(s.queue, data)
	if len(s.queue) == 1 {
		c.task(func() { e.sendSegments(c.life, k) })
	}
	return espSilent
}

// sendSegments sends what is queued and says which segments have arrived.
func (e *esp) sendSegments(l *life, k *espLink) {
	s := &k.segments
	for len(s.queue) > 0 && !k.closed {
		err, ok := e.write(l, k, s.queue[0], nil)
		if !ok || err == nil && !l.sleep(ackTime) {
			return
		}
		if err != nil {
			e.lost(l, k, err.Error())
			return
		}
		if len(s.queue) == 0 {
			return // AT+CIPBUFRESET
		}
		s.queue = s.queue[1:]
		s.acked++
		l.print(e.linkField(k) + strconv.Itoa(s.acked) + ",SEND OK\r\n")
	}
}

func espBufferReset(c *espCall) result {
	k, ok := c.onLink()
	if !ok || !c.ended() || len(k.segments.queue) > 0 {
		return espError
	}
	k.segments = espSegments{}
	return espOK
}

func espBufferStatus(c *espCall) result {
	k, ok := c.onLink()
	if !ok || !c.ended() {
		return espError
	}
	s := k.segments
	waiting := 0
	for _, b := range s.queue {
		waiting += len(b)
	}
	c.printf("%d,%d,%d,%d,%d\r\n", s.next+1, s.next-len(s.queue), s.acked, maxSegments*maxESPSend-waiting, len(s.queue))
	return espOK
}

// espCheckSegment tells whether a segment has arrived.
func espCheckSegment(c *espCall) result {
	k, ok := c.onLink()
	if !ok {
		return espError
	}
	n, ok := c.only([2]int{1, 1 << 30})
	if !ok || n[0] > k.segments.next {
		return espError
	}
	arrived := "TRUE"
	if n[0] > k.segments.acked {
		arrived = "FALSE"
	}
	c.print(c.e.linkField(k) + strconv.Itoa(n[0]) + "," + arrived + "\r\n")
	return espOK
}
