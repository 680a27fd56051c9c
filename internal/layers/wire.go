package layers

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// version is the one that the device speaks, or spoke last.
func (s *Service) version(ctx context.Context, id registry.ID) mqtt.Version {
	status, err := s.Registry.Status(ctx, id)
	if err != nil {
		return 0
	}
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V31, mqtt.V5} {
		if strings.HasPrefix(status.Protocol, "MQTT "+v.String()+" ") {
			return v
		}
	}
	return 0
}

const (
	remade   = "made again of what the timeline keeps: packet identifier, DUP, RETAIN and properties are not known. matou device trace --watch keeps the bytes as they come"
	remadeZH = "由时间线保存的内容重新编码：报文标识符、DUP、RETAIN 和属性未知。使用 matou device trace --watch 可保存原始字节"
	masked   = "made again of what the timeline keeps: the password is never kept, only its length"
	maskedZH = "由时间线保存的内容重新编码：从不保存密码，只保存其长度"
	cutShort = "the timeline keeps the beginning of the packet only"
	cutZH    = "时间线只保存了报文的开头部分"
)

// bytesOf is the packet of an entry; nil where it has none.
func bytesOf(e *trace.Entry, v mqtt.Version) *Bytes {
	if len(e.Packet) > 0 {
		b := &Bytes{Source: Recorded, Hex: e.Packet, Explanation: packet.Explain(e.Packet, v)}
		h, err := packet.ParseHeader(e.Packet)
		if err == nil && h.Size+h.Remaining > len(e.Packet) && len(e.Packet) >= trace.MaxPayload {
			b.Note, b.NoteZH = cutShort, cutZH
			b.Explanation.Packets[0].Faults = nil // they are the timeline's
		}
		return b
	}
	b := &Bytes{Source: ReEncoded, Note: remade, NoteZH: remadeZH}
	var err error
	switch e.Kind {
	case trace.Uplink, trace.Reply, trace.Downlink, trace.Command, trace.Fault:
		if e.Topic == "" || e.Size > len(e.Payload) || strings.HasPrefix(e.Topic, "/ota_") {
			return nil
		}
		p := packet.Publish{Topic: []byte(e.Topic), QoS: mqtt.QoS(e.QoS), Payload: e.Payload}
		if p.QoS > 0 {
			p.ID = 1
		}
		b.Hex, err = p.Append(nil, mqtt.V311)
	case trace.Subscribe:
		p := packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{{Filter: e.Topic, QoS: mqtt.QoS(e.QoS)}}}
		b.Hex, err = p.Append(nil, mqtt.V311)
	case trace.Connect, trace.Refuse:
		c := connectOf(e)
		if c == nil {
			return nil
		}
		b.Note, b.NoteZH = masked, maskedZH
		b.Hex, err = c.Append(nil, c.Version)
	default:
		return nil
	}
	if err != nil {
		return nil // what the timeline keeps may be shortened, and so no packet
	}
	b.Explanation = packet.Explain(b.Hex, mqtt.V311)
	return b
}

// connectOf makes a CONNECT of what gate keeps of one.
func connectOf(e *trace.Entry) *packet.Connect {
	type kept struct {
		ClientID       string `json:"clientId"`
		Username       string `json:"username"`
		PasswordLength int    `json:"passwordLength"`
		KeepAlive      uint16 `json:"keepAlive"`
		Version        string `json:"version"`
		CleanSession   bool   `json:"cleanSession"`
	}
	var d struct {
		kept
		Connect *kept `json:"connect"`
	}
	raw, ok := e.Detail.(json.RawMessage)
	if !ok || json.Unmarshal(raw, &d) != nil {
		return nil
	}
	k := d.kept
	if d.Connect != nil {
		k = *d.Connect
	}
	if k.Version == "" {
		return nil
	}
	c := &packet.Connect{
		Version: mqtt.V311, CleanStart: k.CleanSession, KeepAlive: k.KeepAlive, ClientID: k.ClientID,
		HasUsername: k.Username != "", Username: k.Username,
		HasPassword: k.PasswordLength > 0, Password: []byte(strings.Repeat("*", min(k.PasswordLength, 1<<16-1))),
	}
	for _, v := range []mqtt.Version{mqtt.V31, mqtt.V5} {
		if k.Version == v.String() {
			c.Version = v
		}
	}
	return c
}

// messageOf is topic and payload of an entry; nil where it has neither.
func messageOf(e *trace.Entry) *Message {
	if e.Topic == "" {
		return nil
	}
	m := &Message{Topic: e.Topic, QoS: e.QoS, Size: max(e.Size, len(e.Payload)), Cut: e.Size > len(e.Payload)}
	if utf8.Valid(e.Payload) {
		m.Text = string(e.Payload)
	} else {
		m.Payload = e.Payload
	}
	return m
}
