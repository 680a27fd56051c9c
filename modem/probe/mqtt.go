package probe

import (
	"context"
	"strings"

	"github.com/matou-iot/matou/at"
)

// An MQTT is the MQTT client that a module brings along.
type MQTT struct {
	Commands string `json:"commands"`         // "AT+QMT…"; empty: it has none
	Aliyun   bool   `json:"aliyun,omitempty"` // it signs for Alibaba Cloud IoT itself
	OneNET   bool   `json:"onenet,omitempty"` // and for OneNET
}

// clients are the families of MQTT commands: how to find out that a module
// knows them, without doing anything.
var clients = []struct {
	commands string
	asked    at.Command
	aliyun   bool // always; others tell
	families string
}{
	{"AT+QMT…", test("+QMTCFG"), false, Quectel + " " + Cellular},
	{"AT+LMQTT…", query("+LMQTTCONN"), true, Lierda + " " + Cellular},
	{"AT+MQTT…", query("+MQTTCONN"), false, ESPAT},
	{"AT+CMQTT…", test("+CMQTTSTART"), false, Cellular},
	{"AT+MQTT…", test("+MQTTCFG"), true, Cellular},
	{"AT+MIPSTART, AT+MCONNECT …", test("+MCONFIG"), false, Cellular},
}

// lookMQTT finds out what the module can do of MQTT and TLS by itself.
func (p *prober) lookMQTT(ctx context.Context) error {
	p.r.MQTT = &MQTT{}
	for _, c := range clients {
		if !strings.Contains(" "+c.families+" ", " "+p.r.Module.Family+" ") {
			continue
		}
		lines, ok, err := p.ask(ctx, c.asked)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		said := strings.Join(lines, "\n")
		p.r.MQTT = &MQTT{c.commands, c.aliyun || strings.Contains(said, `"aliauth"`), strings.Contains(said, `"onenet"`)}
		break
	}
	return p.lookTLS(ctx)
}

// lookTLS asks for a setting of TLS.
func (p *prober) lookTLS(ctx context.Context) error {
	asked, known := map[string]at.Command{
		Quectel: test("+QSSLCFG"), ESP8266AT: query("+CIPSSLSIZE"), ESPAT: query("+CIPSSLCCONF"),
	}[p.r.Module.Family]
	if !known {
		return nil
	}
	_, ok, err := p.ask(ctx, asked)
	if err == nil {
		p.r.TLS = &ok
	}
	return err
}
