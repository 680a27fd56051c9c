package virtual

import (
	"fmt"
	"time"
)

// Bounds and defaults of AT+QPING [EC2x TCP/IP note].
const (
	pingBytes   = 32
	pingTTL     = 255
	maxPings    = 10
	usualPings  = 4
	usualWait   = 4 // seconds
	pingSpacing = time.Second
)

// qping is AT+QPING=<context>,"<host>"[,<timeout>[,<number>]]: a line each and
// one of all. As with the ESP8266, names are looked up and distances made up:
// no program may ping without rights.
func (t *cellTurn) qping() cellResult {
	id := t.number(1, maxContexts)
	host := t.text(1, maxSocketHost)
	wait := time.Duration(t.numberOr(usualWait, 1, 255)) * time.Second
	times := t.numberOr(usualPings, 1, maxPings)
	if !t.end() {
		return cellError
	}
	c, l := t.cellular, t.l
	failed := func(code int) {
		c.ec20.lastErr = code
		c.urc(fmt.Sprintf("+QPING: %d", code))
	}
	l.task(func() {
		if !c.active[id] {
			failed(qiNoContext)
			return
		}
		ip, _, err, ok := l.lookup(host, 0)
		if !ok {
			return
		}
		if err != nil {
			failed(qiNoName)
			return
		}
		var took []int
		for range times {
			if l.strikes(faultRefused) {
				if !l.sleep(wait) {
					return
				}
				failed(qiTimeout)
				continue
			}
			ms := 50 + l.chance.IntN(40)
			took = append(took, ms)
			if !l.sleep(time.Duration(ms) * time.Millisecond) {
				return
			}
			c.urc(fmt.Sprintf(`+QPING: 0,"%s",%d,%d,%d`, ip, pingBytes, ms, pingTTL))
			if !l.sleep(pingSpacing) {
				return
			}
		}
		c.urc("+QPING: 0," + csv(pingSummary(times, took)...))
	})
	return cellOK
}

// pingSummary is how many went, came back and were lost, and the shortest,
// longest and average time.
func pingSummary(sent int, took []int) []int {
	s := []int{sent, len(took), sent - len(took), 0, 0, 0}
	if len(took) == 0 {
		return s
	}
	s[3] = took[0]
	for _, ms := range took {
		s[3], s[4], s[5] = min(s[3], ms), max(s[4], ms), s[5]+ms
	}
	s[5] /= len(took)
	return s
}
