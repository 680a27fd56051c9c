package virtual

import (
	"time"

	"github.com/matou-iot/matou/modem/virtual/radio"
)

// nt35e is Lierda's module with its LMQTT commands. Little of it is documented:
// what is not is answered as carefully as possible, and quirks choose among
// what has been seen.
var nt35e = &Model{
	Name:  "nt35e",
	Title: "Lierda NT35E",
	Firmwares: []Firmware{
		{"NT35E", "as its manual's commands are quoted", "按手册引用的指令"},
	},
	Quirks: []Quirk{
		{"urc-before-ok", "says +LMQTTCONN before its OK, as field notes warn", "+LMQTTCONN 早于 OK 出现,现场记录如此"},
		{"unsub-name", "spells the end of an unsubscription +LMQTTUNSUNSUB, as the manual does", "取消订阅的结果写作 +LMQTTUNSUNSUB,手册如此"},
		{"quoted-payload", "puts received payloads between quotes", "收到的内容加引号"},
		{"lmqttread", "knows AT+LMQTTREAD for messages that cache 1 keeps, in a form that is a guess", "支持 AT+LMQTTREAD(格式为推测)"},
		{"five-clients", "supports identifiers 0 to 4 instead of 0 alone", "支持标识符 0 到 4,而不只是 0"},
		{"close-ok", "answers OK to DISC and CLOSE when nothing is open", "未打开时 DISC 和 CLOSE 也回答 OK"},
		{"aliauth-md5", "signs with hmacmd5", "aliauth 用 hmacmd5 签名"},
		{"aliauth-sha256", "signs with hmacsha256", "aliauth 用 hmacsha256 签名"},
		{"aliauth-timestamp", "signs a timestamp from its clock too", "aliauth 把模块时间作为 timestamp 一并签名"},
	},
	Faults: cellFaults,
	make:   newNT35E,
}

var nt35eKind = &cellKind{
	identity:    cellIdentity{"Lierda", "NT35E", "NT35E", "861111111111111", "460001234567890", "89860012345678901234"},
	tables:      []cellTable{lmqttCommands, lierdaCommands, networkCommands, generalCommands},
	raw:         []string{"+LMQTTPUB"},
	mqtt:        "+LMQTT",
	bareAddress: true,
	start:       startNT35E,
	changed: func(c *cellular, l *life, what radio.Change) {
		if what == radio.RegistrationChanged {
			c.reportRegistration()
		}
	},
	cut: func(c *cellular, l *life) {
		for _, q := range c.nt.clients {
			q.lost(l)
		}
	},
}

// nt35eRAM is what a reset clears of an NT35E alone.
type nt35eRAM struct{ clients []*lmqttClient }

// lierdaCommands are Lierda's own beside MQTT.
var lierdaCommands = cellTable{
	"+LCCID": iccid("+LCCID"),
	"+LGMR": {execute: func(t *cellTurn) cellResult {
		t.say("+LGMR: " + t.kind.identity.revision)
		return cellOK
	}},
	"+LUIMSLOT": keep("+LUIMSLOT", 0, 0, 1),
}

func newNT35E(m *Module) personality {
	c := &cellular{Module: m, kind: nt35eKind}
	c.factory()
	return c
}

// nt35eReady is when the module says RDY.
const nt35eReady = time.Second

func startNT35E(c *cellular, l *life) {
	c.nt = &nt35eRAM{}
	for i := range lmqttClients {
		c.nt.clients = append(c.nt.clients, newLMQTT(c, i))
	}
	l.after(nt35eReady, func() { c.wake(l) })
}
