package httpapi

import (
	"context"
	"encoding/base64"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

type buildInput struct {
	Body struct {
		Type         string   `json:"type" enum:"CONNECT,PUBLISH,SUBSCRIBE,UNSUBSCRIBE,PUBACK,PINGREQ,DISCONNECT"`
		Version      string   `json:"version,omitempty" doc:"3.1, 3.1.1 or 5.0; left out, 3.1.1"`
		ClientID     string   `json:"clientId,omitempty"`
		Username     string   `json:"username,omitempty"`
		Password     string   `json:"password,omitempty"`
		KeepAlive    uint16   `json:"keepAlive,omitempty" doc:"Seconds; 0 is off"`
		KeepSession  bool     `json:"keepSession,omitempty" doc:"CONNECT without clean session"`
		ID           uint16   `json:"id,omitempty" doc:"Packet identifier; left out where one is needed, 1"`
		Topic        string   `json:"topic,omitempty" doc:"Of a PUBLISH"`
		Filters      []string `json:"filters,omitempty" maxItems:"100" doc:"Of a SUBSCRIBE or UNSUBSCRIBE"`
		QoS          int      `json:"qos,omitempty" minimum:"0" maximum:"2"`
		Retain       bool     `json:"retain,omitempty"`
		Dup          bool     `json:"dup,omitempty"`
		Payload      string   `json:"payload,omitempty" doc:"Text"`
		PayloadBytes string   `json:"payloadBase64,omitempty" doc:"Bytes instead of a text"`
	}
}

// A builtPacket is one as bytes, explained.
type builtPacket struct {
	Hex         packet.Hex          `json:"hex"`
	Size        int                 `json:"size"`
	Explanation *packet.Explanation `json:"explanation"`
}

func (a *api) buildPacket(_ context.Context, in *buildInput) (builtPacket, error) {
	v, err := versionOf(in.Body.Version)
	if err != nil {
		return builtPacket{}, err
	}
	if v == 0 {
		v = mqtt.V311
	}
	p, err := in.packet(v)
	if err != nil {
		return builtPacket{}, err
	}
	b, err := p.Append(nil, v)
	if err != nil {
		return builtPacket{}, fault.Invalid("%v", err)
	}
	return builtPacket{b, len(b), packet.Explain(b, v)}, nil
}

func (in *buildInput) packet(v mqtt.Version) (packet.Packet, error) {
	b := &in.Body
	if b.ID == 0 {
		b.ID = 1
	}
	switch b.Type {
	case "CONNECT":
		return &packet.Connect{
			Version: v, CleanStart: !b.KeepSession, KeepAlive: b.KeepAlive, ClientID: b.ClientID,
			HasUsername: b.Username != "", Username: b.Username, HasPassword: b.Password != "", Password: []byte(b.Password),
		}, nil
	case "PUBLISH":
		return in.publish()
	case "SUBSCRIBE", "UNSUBSCRIBE":
		return in.filters()
	case "PUBACK":
		return &packet.Puback{ID: b.ID}, nil
	case "PINGREQ":
		return &packet.Pingreq{}, nil
	default: // the types are listed
		return &packet.Disconnect{}, nil
	}
}

func (in *buildInput) publish() (packet.Packet, error) {
	b := &in.Body
	if err := mqtt.ValidTopicName(b.Topic); err != nil {
		return nil, fault.In("topic", fault.Invalid("%v", err))
	}
	payload := []byte(b.Payload)
	if b.PayloadBytes != "" {
		var err error
		if payload, err = base64.StdEncoding.DecodeString(b.PayloadBytes); err != nil {
			return nil, fault.In("payloadBase64", fault.Invalid("%v", err))
		}
	}
	p := &packet.Publish{Topic: []byte(b.Topic), QoS: mqtt.QoS(b.QoS), Retain: b.Retain, Payload: payload}
	if b.QoS > 0 {
		p.ID, p.Dup = b.ID, b.Dup
	}
	return p, nil
}

func (in *buildInput) filters() (packet.Packet, error) {
	b := &in.Body
	if len(b.Filters) == 0 {
		return nil, fault.In("filters", fault.Invalid("at least one topic filter is needed"))
	}
	s := &packet.Subscribe{ID: b.ID}
	for _, f := range b.Filters {
		if err := mqtt.ValidFilter(f); err != nil {
			return nil, fault.In("filters", fault.Invalid("%v", err))
		}
		s.Subscriptions = append(s.Subscriptions, packet.Subscription{Filter: f, QoS: mqtt.QoS(b.QoS)})
	}
	if b.Type == "UNSUBSCRIBE" {
		return &packet.Unsubscribe{ID: b.ID, Filters: b.Filters}, nil
	}
	return s, nil
}
