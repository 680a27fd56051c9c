package gate

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// explain says which packet is broken, and the faults a person would look for.
// private says that raw may hold a password.
func explain(e *trace.Entry, raw []byte, v mqtt.Version, why error, private bool) {
	e.Code, e.SentenceZH = "mqtt-malformed", "报文不符合 MQTT 规范"
	if broken, ok := errors.AsType[*packet.Error](why); ok {
		e.Code = "mqtt-bad-" + strings.ToLower(broken.Packet)
		e.SentenceZH = broken.Packet + " 报文不符合 MQTT 规范 [" + broken.Clause + "]"
	} else {
		unspoken(e, why)
	}
	if len(raw) == 0 {
		return
	}
	x := packet.Explain(raw, v)
	e.Detail, e.Packet = x, raw
	if private {
		e.Packet = raw[:min(len(raw), publicBytes)]
		redact(x)
	}
	for _, a := range x.Packets {
		if len(a.Faults) == 0 {
			continue
		}
		f := a.Faults[0]
		e.Sentence += "; " + f.What + ": " + f.Fix
		e.SentenceZH += "；" + f.WhatZH + "：" + f.FixZH
		if f.Code != packet.FaultMalformed {
			e.Code = "mqtt-" + f.Code
		}
		return
	}
}

// unspoken says why a connection ended before anything of MQTT was said.
func unspoken(e *trace.Entry, why error) {
	switch text := why.Error(); {
	case strings.Contains(text, "remote error: tls:"):
		e.Code, e.SentenceZH = "tls-refused", "设备拒绝了服务器的证书，或双方没有共同的 TLS 版本与套件："+text
	case strings.Contains(text, "tls:"):
		e.Code, e.SentenceZH = "tls-handshake", "TLS 握手失败："+text
	case errors.Is(why, broker.ErrNoConnect):
		e.Code, e.SentenceZH = "connect-missing", "连接在收到完整的 CONNECT 报文之前就断开了"
	case errors.Is(why, broker.ErrConnectTimeout):
		e.Code, e.SentenceZH = "connect-timeout", "连接建立后没有在规定时间内收到完整的 CONNECT 报文"
	}
}

// publicBytes is how far the first bytes of a connection may be shown whatever
// they are: a CONNECT has its password behind fixed header, protocol name,
// level, flags, keep-alive and the length of its client identifier.
const publicBytes = 12

// holdsLogin reports whether the bytes of a device may hold a CONNECT, whole
// or broken, as bytes or as hexadecimal digits, in front or behind others.
func holdsLogin(raw []byte) bool {
	if raw[0]>>4 == byte(packet.TypeConnect) {
		return true
	}
	digits := bytes.ToLower(bytes.Join(bytes.Fields(raw), nil))
	for _, name := range []string{"MQTT", "MQIsdp"} {
		if bytes.Contains(raw, []byte(name)) || bytes.Contains(digits, []byte(hex.EncodeToString([]byte(name)))) {
			return true
		}
	}
	return false
}

// redact takes out of an explanation what may be a password: of a plain MQTT
// device that is the secret itself. Client identifier and user name stay where
// no fault puts in doubt where they end; of anything else the first bytes.
func redact(x *packet.Explanation) {
	for i := range x.Packets {
		a := &x.Packets[i]
		certain := a.Type == packet.TypeConnect.String() && !slices.ContainsFunc(a.Faults, misleads)
		for j := range a.Fields {
			f := &a.Fields[j]
			if certain && named(f.Name) || f.Offset+f.Length <= publicBytes {
				continue
			}
			f.Bytes, f.Meaning, f.MeaningZH = nil, "not shown", "未显示"
		}
		if !certain {
			a.Summary, a.SummaryZH = a.Type, a.Type
		}
		for j := range a.Faults {
			a.Faults[j].Corrected = nil
		}
	}
}

// named reports whether a field of a CONNECT tells no secret.
func named(field string) bool {
	switch strings.TrimSuffix(field, " length") {
	case "client identifier", "user name", "packet type and flags", "remaining", "protocol name", "protocol level", "connect flags", "keep alive":
		return true
	}
	return false
}

// misleads reports whether a fault of a CONNECT may be read as another one, so
// that a password stands under another name.
func misleads(f packet.Fault) bool {
	switch f.Code {
	case packet.FaultFlags, packet.FaultReservedFlag, packet.FaultLineEnd:
		return false
	}
	return true
}
