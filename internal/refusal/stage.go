package refusal

import (
	"fmt"
	"strings"
)

// A stage is where in a device's life a code comes from, and how it looks there
// on the side of the device. %d is the return code of the CONNACK.
type stage struct{ kind, device, deviceZH string }

const (
	modules = "`AT+QMTCONN` of a Quectel module ends with `+QMTCONN: 0,0,%[1]d`, `AT+LMQTTCONN` of a Lierda module with `+LMQTTCONN: 0,0,%[1]d`, `AT+MQTTCONN` of an ESP8266 with `ERROR`, sometimes after `+MQTTDISCONNECTED:0`. "
	after   = "PubSubClient's `state()` is %[1]d. "

	modulesZH = "移远模组的 `AT+QMTCONN` 返回 `+QMTCONN: 0,0,%[1]d`，利尔达模组的 `AT+LMQTTCONN` 返回 `+LMQTTCONN: 0,0,%[1]d`，ESP8266 的 `AT+MQTTCONN` 返回 `ERROR`（之前可能有 `+MQTTDISCONNECTED:0`）。"
	afterZH   = "PubSubClient 的 `state()` 为 %[1]d。"
)

// noted is how what is accepted looks.
var noted = stage{"note", "The device sees nothing of it: what it sent was accepted, or nothing was refused.", "设备没有感知：消息已被接受，或没有发生拒绝。"}

var stages = map[string]stage{
	"connect": {"refusal",
		"CONNACK `20 02 00 %02[1]x`, then the connection ends. " + modules + after,
		"收到 CONNACK `20 02 00 %02[1]x`，随后连接断开。" + modulesZH + afterZH},
	"silent": {"refusal",
		"The connection ends without a CONNACK, as the vendor's does. A Quectel module says `+QMTSTAT: 0,1`, an ESP8266 `+MQTTDISCONNECTED:0` and `ERROR`. Only strict products do this; others accept and note it.",
		"与厂商平台一样，连接在没有 CONNACK 的情况下断开。移远模组提示 `+QMTSTAT: 0,1`，ESP8266 提示 `+MQTTDISCONNECTED:0` 和 `ERROR`。只有严格产品如此；其他产品会接受并提示。"},
	"end": {"note",
		"The connection ends without a word: a Quectel module says `+QMTSTAT: 0,1`, an ESP8266 `+MQTTDISCONNECTED:0`, PubSubClient's `state()` is -3. A client of MQTT 5.0 gets a DISCONNECT with the reason first.",
		"连接断开，没有其他提示：移远模组提示 `+QMTSTAT: 0,1`，ESP8266 提示 `+MQTTDISCONNECTED:0`，PubSubClient 的 `state()` 为 -3。MQTT 5.0 客户端会先收到带原因码的 DISCONNECT。"},
	"connect-note": noted, "value-note": noted, "message-note": noted,
	"note": noted,
	"register": {"refusal",
		"Over HTTPS the answer has a code other than 200 and no secret. Over MQTT the registration is refused with a CONNACK of code 2, 3 or 4, and no message comes on /ext/register.",
		"通过 HTTPS 时，应答的 code 不为 200 且不含密钥。通过 MQTT 时，注册被 CONNACK（返回码 2、3 或 4）拒绝，/ext/register 上不会收到消息。"},
	"http": {"refusal",
		"The HTTP answer has a code other than 0 and a message: {\"code\":20001,\"message\":\"…\"}.",
		"HTTP 应答的 code 不为 0，并带有 message：{\"code\":20001,\"message\":\"…\"}。"},
	"coap": {"refusal",
		"The CoAP answer has the code 4.00 to 4.15; 4.01 asks for another login.",
		"CoAP 应答码为 4.00 到 4.15；4.01 要求重新登录。"},
	"handshake": {"refusal",
		"The handshake of TLS or DTLS ends with an alert; no MQTT or CoAP is exchanged.",
		"TLS 或 DTLS 握手以告警结束，不会交换 MQTT 或 CoAP 报文。"},
	"subdevice": {"refusal",
		"The gateway gets a reply with a code other than 200; for data of a sub-device that is not logged in, a message on /ext/error (Aliyun). The connection stays.",
		"网关收到 code 不为 200 的应答；未上线子设备的数据会在 /ext/error 上收到错误消息（阿里云）。连接保持不变。"},
	"topic": {"refusal",
		"SUBSCRIBE: SUBACK 80 for this filter (Quectel: `+QMTSUB: 0,1,0,128`). PUBLISH: an Aliyun device gets its PUBACK and nothing else, a strict OneNET product ends the connection.",
		"订阅：该主题的 SUBACK 返回 80（移远模组：`+QMTSUB: 0,1,0,128`）。发布：阿里云设备照常收到 PUBACK，没有其他提示；严格的 OneNET 产品会断开连接。"},
	"conduct": {"refusal",
		"A strict product ends the connection, as OneNET's broker does: a Quectel module says `+QMTSTAT: 0,1`, an ESP8266 `+MQTTDISCONNECTED:0`. Other products take it and note it.",
		"与 OneNET 平台一样，严格产品会断开连接：移远模组提示 `+QMTSTAT: 0,1`，ESP8266 提示 `+MQTTDISCONNECTED:0`。其他产品会接受并提示。"},
	"message": {"refusal",
		"The message is acknowledged. Where the function has a reply, it carries a code other than 200; otherwise the device sees nothing.",
		"消息会被确认。有应答的功能会返回不为 200 的 code，否则设备没有感知。"},
	"value": {"value",
		"An Aliyun device gets code 200 with the reason in data of the reply, as on the real platform. A OneNET device gets a code other than 200.",
		"与真实平台一样，阿里云设备收到 code 200，原因在应答的 data 中。OneNET 设备收到不为 200 的 code。"},
	"request": {"refusal",
		"The reply to the request carries a code other than 200, where the function has a reply.",
		"有应答的请求会收到不为 200 的 code。"},
	"script": {"fault",
		"The message is acknowledged and nothing is stored. A device of raw data gets no reply.",
		"消息会被确认，但没有数据被保存。透传设备不会收到应答。"},
	"bytes": {"fault",
		"The connection ends. A client of MQTT 5.0 gets a DISCONNECT or CONNACK with the reason first; a CONNECT with another protocol level is answered `20 02 00 01`.",
		"连接断开。MQTT 5.0 客户端会先收到带原因码的 DISCONNECT 或 CONNACK；协议级别错误的 CONNECT 会收到 `20 02 00 01`。"},
}

// at fills in what a page owes to its stage.
func (p Page) at(name string) Page {
	s, ok := stages[name]
	if !ok {
		panic("refusal: " + p.Code + " is of the unknown stage " + name) // our own text
	}
	if name == "connect" && p.Connack == 0 {
		p.Connack = connacks[p.Code]
	}
	p.Kind, p.Device, p.DeviceZH = s.kind, s.device, s.deviceZH
	if name == "connect" {
		p.Device, p.DeviceZH = fmt.Sprintf(s.device, p.Connack), fmt.Sprintf(s.deviceZH, p.Connack)
	} else {
		p.Connack = 0
	}
	p.Device, p.DeviceZH = strings.TrimSpace(p.Device), strings.TrimSpace(p.DeviceZH)
	p.Path = Dir + "/" + p.Code + ".md"
	return p
}

// connacks are the return codes of refusals that are not of one vendor.
var connacks = map[string]byte{
	"device-disabled": 4, "login-not-understood": 4, "login-too-long": 4, "login-not-examined": 4, "wrong-dialect": 4, "connect-rate": 3, "device-banned": 3,
	"device-unknown": 4, "certificate-missing": 4, "certificate-other": 4, "certificate-unbound": 4,
	"mqtt-username-form": 4, "mqtt-unknown-product": 4, "mqtt-unknown-device": 4, "mqtt-wrong-password": 4, "mqtt-no-password": 4,
	"mqtt-password-blanks": 4, "mqtt-previous-secret": 4, "mqtt-password-case": 4, "aliyun-keep-alive": 2,
}

// stageOf is the stage of a code of package aliyun or onenet.
func stageOf(code string) string {
	switch code {
	case "onenet-keep-alive", "onenet-clean-session", "onenet-will":
		return "silent"
	case "onenet-et-milliseconds", "onenet-token-ends-soon", "onenet-trailing-bytes", "onenet-not-encoded":
		return "connect-note"
	}
	for prefix, stage := range map[string]string{
		"aliyun-register-": "register", "aliyun-http-": "http", "aliyun-coap-": "coap", "aliyun-psk-": "handshake", "aliyun-sub-": "subdevice", "onenet-sub-": "subdevice",
	} {
		if strings.HasPrefix(code, prefix) {
			return stage
		}
	}
	return "connect"
}
