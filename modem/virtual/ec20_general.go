package virtual

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/matou-iot/matou/modem/virtual/radio"
)

// quectelCommands are Quectel's own beside sockets and MQTT.
var quectelCommands = cellTable{
	"+QCCID": iccid("+QCCID"),
	"+QNWINFO": {execute: func(t *cellTurn) cellResult {
		if !t.served() {
			t.say(`+QNWINFO: "No Service"`)
			return cellOK
		}
		t.say(fmt.Sprintf(`+QNWINFO: "FDD LTE","%s","LTE BAND 3",1300`, t.kind.identity.imsi[:5]))
		return cellOK
	}, test: accept},
	"+QINISTAT": {execute: func(t *cellTurn) cellResult { t.say(fmt.Sprintf("+QINISTAT: %d", t.initstate)); return cellOK }, test: accept},
	"+QSCLK":    keep("+QSCLK", 0, 0, 2),
	"+QURCCFG":  {set: (*cellTurn).urcPort, testText: `+QURCCFG: "urcport",("usbat","usbmodem","uart1")`},
	"+QCFG":     {set: (*cellTurn).qcfg},
	"+QPOWD":    {set: (*cellTurn).powerDown, execute: (*cellTurn).powerDown, testText: "+QPOWD: (0-1)"},
	"+QSIMSTAT": {query: func(t *cellTurn) cellResult {
		t.say(fmt.Sprintf("+QSIMSTAT: %d,%d", t.keptOr("+QSIMSTAT", 0), number(t.radio.SIM() != radio.Missing)))
		return cellOK
	}, set: oneOf("+QSIMSTAT", 0, 1)},
	"+QLTS": {execute: func(t *cellTurn) cellResult {
		t.say(`+QLTS: "` + t.radio.Clock().QNTP(t.airTime(t.l)) + `,0"`)
		return cellOK
	}, set: (*cellTurn).qlts, testText: "+QLTS: (0-2)"},
	"+QNTP": {set: (*cellTurn).qntp, testText: `+QNTP: (1-16),<server>,(1-65535),(0,1)`},
}

// qlts tells the network's time: 0 as it was told, 1 of Greenwich, 2 of here
// [EC2x AT manual QLTS].
func (t *cellTurn) qlts() cellResult {
	const greenwich = 1
	mode := t.number(0, 2)
	if !t.end() {
		return cellError
	}
	now, clock := t.airTime(t.l), t.radio.Clock()
	text := clock.QNTP(now)
	if mode == greenwich {
		text = clock.Greenwich(now)
	}
	t.say(`+QLTS: "` + text + `,0"`)
	return cellOK
}

// urcPort chooses where unsolicited results go. There is one port here, so
// that they always come.
func (t *cellTurn) urcPort() cellResult {
	name := t.text(1, 32)
	port := t.textOr("", 32)
	if !t.end() || name != "urcport" {
		return cellError
	}
	switch port {
	case "":
		t.say(`+QURCCFG: "urcport","uart1"`)
	case "uart1", "usbat", "usbmodem", "all":
	default:
		return cme(50)
	}
	return cellOK
}

// qcfg takes settings of the radio, which change nothing here.
func (t *cellTurn) qcfg() cellResult {
	name := t.text(1, 32)
	for t.more() {
		t.text(0, 64)
	}
	if t.failed {
		return cellError
	}
	switch name {
	case "nwscanmode", "nwscanseq", "band", "servicedomain", "roamservice", "urc/ri/ring", "urc/ri/smsincoming", "urc/ri/other", "urc/delay", "risignaltype", "iotopmode":
		return cellOK
	}
	return cellError
}

// powerDown says goodbye; power comes back with a reset.
func (t *cellTurn) powerDown() cellResult {
	t.numberOr(1, 0, 1)
	if !t.end() {
		return cellError
	}
	t.final(t.l, cellOK)
	if !t.l.sleep(resetPause) {
		return cellSilent
	}
	t.cutAll(t.l)
	t.urcs = nil
	t.frame(t.l, "POWERED DOWN")
	t.awake = false
	return cellSilent
}

// The numbers of failed socket operations [EC2x TCP/IP note §5].
const (
	qiUnknown     = 550
	qiUnsupported = 555
	qiNoContext   = 561
	qiInUse       = 563
	qiNoName      = 565
	qiNotReached  = 566
	qiTimeout     = 569
)

var qiErrors = map[int]string{
	0: "operate successfully", qiUnknown: "unknown error", qiUnsupported: "operation not supported", qiNoContext: "open PDP context failed",
	qiInUse: "socket identity has been used", qiNoName: "DNS parse failed", qiNotReached: "socket connect failed", qiTimeout: "operation timeout",
}

// qiCode is the number of what went wrong.
func qiCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errNoService):
		return qiNoContext
	case errors.Is(err, errDNS):
		return qiNoName
	case errors.Is(err, context.DeadlineExceeded):
		return qiTimeout
	}
	return qiNotReached
}

// How long a time server may take, and how often it is asked.
const (
	ntpTimeout  = 5 * time.Second
	ntpAttempts = 3
	ntpPort     = 123
)

// qntp asks a time server and sets the clock by it.
func (t *cellTurn) qntp() cellResult {
	t.number(1, maxContexts)
	host := t.text(1, 100)
	port := t.numberOr(ntpPort, 1, 65535)
	set := t.numberOr(1, 0, 1)
	if !t.end() {
		return cellError
	}
	c, l := t.cellular, t.l
	to := cellTarget{"UDP", -1, host, port, nil, c.cause}
	l.task(func() {
		at, err, ok := c.askTime(l, to)
		if !ok {
			return
		}
		if err != nil {
			c.urc(fmt.Sprintf("+QNTP: %d", qiCode(err)))
			return
		}
		clock := *c.radio.Clock()
		clock.Set(at, c.airTime(l))
		if set == 1 {
			*c.radio.Clock() = clock
		}
		c.urc(fmt.Sprintf(`+QNTP: 0,"%s"`, clock.QNTP(c.airTime(l))))
	})
	return cellOK
}

// askTime is SNTP [RFC 4330 §5]. It waits without the lock.
func (c *cellular) askTime(l *life, to cellTarget) (at time.Time, err error, ok bool) {
	if c.strikes(faultNoTime) {
		return at, context.DeadlineExceeded, l.sleep(ntpTimeout)
	}
	k, err, ok := c.connect(l, to)
	if err != nil || !ok {
		return at, err, ok
	}
	defer k.close("the module closed it")
	err = context.DeadlineExceeded
	for range ntpAttempts {
		if !l.wait(func(ctx context.Context) {
			stop := context.AfterFunc(ctx, func() { k.conn.Close() })
			defer stop()
			at, err = exchangeTime(k)
		}) {
			return at, err, false
		}
		if err == nil {
			break
		}
	}
	return at, err, true
}

// ntpEpoch is where the seconds of NTP begin.
var ntpEpoch = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

func exchangeTime(k *cellLink) (time.Time, error) {
	k.conn.SetDeadline(time.Now().Add(ntpTimeout))
	request := [48]byte{0b00_100_011} // version 4, client
	if _, err := k.conn.Write(request[:]); err != nil {
		return time.Time{}, err
	}
	var b [64]byte
	n, err := k.conn.Read(b[:])
	switch {
	case err != nil:
		return time.Time{}, context.DeadlineExceeded
	case n < 48 || b[0]&7 != 4 || b[1] == 0: // no server, or one that refuses
		return time.Time{}, errors.New("no answer of a time server")
	}
	seconds, fraction := binary.BigEndian.Uint32(b[40:]), binary.BigEndian.Uint32(b[44:])
	at := ntpEpoch.Add(time.Duration(seconds) * time.Second)
	if seconds < 1<<31 { // the era that begins in 2036 [RFC 4330 §3]
		at = at.Add(1 << 32 * time.Second)
	}
	return at.Add(time.Duration(uint64(fraction) * uint64(time.Second) >> 32)), nil
}
