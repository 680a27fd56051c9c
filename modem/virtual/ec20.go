package virtual

import (
	"time"

	"github.com/matou-iot/matou/modem/virtual/radio"
)

// ec20 is Quectel's LTE module with its QMT, QI and QSSL commands.
var ec20 = &Model{
	Name:  "ec20",
	Title: "Quectel EC20",
	Firmwares: []Firmware{
		{"EC20CEFAGR06A05M4G", "EC20-CE, the usual one", "EC20-CE,最常见"},
	},
	Quirks: []Quirk{
		{"payload-echo", "echoes what is written after a prompt", "回显提示符之后写入的数据"},
		{"mqtt-3.1", "its MQTT version is 3.1 until QMTCFG says otherwise, as the first manual has it", "QMTCFG 未设置时使用 MQTT 3.1,最早的手册如此"},
		{"open-twice-error", "answers ERROR when an open client is opened, instead of +QMTOPEN: n,2", "重复打开客户端时回答 ERROR,而不是 +QMTOPEN: n,2"},
		{"escape-error", "answers ERROR when a message is taken back with ESC, instead of OK", "用 ESC 取消消息时回答 ERROR,而不是 OK"},
		{"no-qmtpub", "does not know AT+QMTPUB, only AT+QMTPUBEX", "不支持 AT+QMTPUB,只有 AT+QMTPUBEX"},
		{"aliauth-md5", "signs with hmacmd5", "aliauth 用 hmacmd5 签名"},
		{"aliauth-sha256", "signs with hmacsha256", "aliauth 用 hmacsha256 签名"},
		{"aliauth-timestamp", "signs a timestamp from its clock too", "aliauth 把模块时间作为 timestamp 一并签名"},
	},
	Faults: cellFaults,
	make:   newEC20,
}

var ec20Kind = &cellKind{
	identity: cellIdentity{"Quectel", "EC20F", "EC20CEFAGR06A05M4G", "861111111111111", "460001234567890", "89860012345678901234"},
	tables:   []cellTable{qmtCommands, socketCommands, tlsCommands, fileCommands, quectelCommands, networkCommands, generalCommands},
	mqtt:     "+QMT",
	start:    startEC20,
	changed:  ec20Changed,
	cut:      ec20Cut,
}

// ec20RAM is what a reset clears of an EC20 alone.
type ec20RAM struct {
	qmt     []*qmtClient
	sockets map[int]*qiSocket
	tls     [tlsContexts]tlsContext
	dns     [2]string
	lastErr int // for AT+QIGETERROR
}

func newEC20(m *Module) personality {
	c := &cellular{Module: m, kind: ec20Kind}
	c.factory()
	return c
}

// When an EC20 says what after a start; it listens from RDY on
// [Quectel EC2x hardware design: 0.5 to 13 s].
const (
	ec20Ready    = 1000 * time.Millisecond
	ec20Function = 1100 * time.Millisecond
	ec20SMSDone  = 4000 * time.Millisecond
	ec20PBDone   = 5000 * time.Millisecond
)

func startEC20(c *cellular, l *life) {
	c.ec20 = &ec20RAM{sockets: make(map[int]*qiSocket), dns: [2]string{"211.136.112.50", "211.136.150.66"}}
	for i := range c.ec20.tls {
		c.ec20.tls[i] = defaultTLS
	}
	for i := range qmtClients {
		c.ec20.qmt = append(c.ec20.qmt, newQMT(c, i))
	}
	l.after(ec20Ready, func() { c.wake(l) })
	l.after(ec20Function, func() { c.urc("+CFUN: 1") })
	ready := func(at time.Duration, text string, bit int) {
		l.after(at, func() {
			if c.radio.SIM() == radio.Ready {
				c.initstate |= bit
				c.urc("+QIND: " + text)
			}
		})
	}
	ready(ec20SMSDone, "SMS DONE", 2)
	ready(ec20PBDone, "PB DONE", 4)
}

// ec20Changed says what the air side did.
func ec20Changed(c *cellular, l *life, what radio.Change) {
	switch what {
	case radio.SIMChanged:
		if c.radio.SIM() == radio.Missing {
			c.initstate = 0
			c.urc("+CPIN: NOT INSERTED")
			return
		}
		c.initstate |= 1
		c.urc("+CPIN: READY")
		c.urc("+QUSIM: 1")
	case radio.RegistrationChanged:
		c.reportRegistration()
	}
}

// ec20Cut tells of the connections that the network took away.
func ec20Cut(c *cellular, l *life) {
	for _, q := range c.ec20.qmt {
		q.lost(l)
	}
	c.socketsLost(l)
}
