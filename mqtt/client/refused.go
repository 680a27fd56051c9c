package client

import (
	"errors"
	"fmt"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// ErrStopped is what Publish, Subscribe and Unsubscribe return after Run has
// ended; errors.Is and errors.As also see the error that Run returned.
var ErrStopped = errors.New("mqtt client stopped")

// errSilent says that the server hung up on a CONNECT, as OneNET and others do.
var errSilent = errors.New("the server closed the connection without a CONNACK")

// A Refused is the server's no to a CONNECT [MQTT3 §3.2.2.3] [MQTT5 §3.2.2.2].
type Refused struct {
	Version         mqtt.Version    // of the CONNECT
	Reason          mqtt.ReasonCode // for 3.x the code of 5.0 that means the same
	ReturnCode      byte            // the byte on the wire
	ReasonString    string          // 5.0, where the server gave one
	ServerReference string          // 5.0: the server to use instead
}

func (r *Refused) Error() string {
	s := fmt.Sprintf("the server refused the connection with code %d: %s", r.ReturnCode, refusals[r.Reason])
	if refusals[r.Reason] == "" {
		s = fmt.Sprintf("the server refused the connection: %s", r.Reason.Error())
	}
	if r.ReasonString != "" {
		s += " (" + r.ReasonString + ")"
	}
	if r.ServerReference != "" {
		s += ", use " + r.ServerReference
	}
	return s
}

// Unwrap makes errors.Is(err, mqtt.NotAuthorized) work.
func (r *Refused) Unwrap() error { return r.Reason }

// refusals explains the refusals that people meet.
var refusals = map[mqtt.ReasonCode]string{
	mqtt.UnsupportedProtocolVersion: "it does not speak this version of MQTT",
	mqtt.ClientIdentifierNotValid:   "it does not accept the client id",
	mqtt.ServerUnavailable:          "it is not available now",
	mqtt.BadUserNameOrPassword:      "user name or password is wrong",
	mqtt.NotAuthorized:              "this client may not connect",
	mqtt.ServerBusy:                 "it is busy, try again later",
	mqtt.Banned:                     "this client is banned",
	mqtt.BadAuthenticationMethod:    "it does not know the authentication method",
	mqtt.PacketTooLarge:             "the CONNECT is larger than it allows",
	mqtt.QuotaExceeded:              "a quota is used up",
	mqtt.UseAnotherServer:           "another server should be used for now",
	mqtt.ServerMoved:                "the server has moved for good",
	mqtt.ConnectionRateExceeded:     "there were too many connections in a short time",
}

// RefusalOf reads the CONNACK of a CONNECT in version v: nil means welcome, else
// it is a *Refused.
func RefusalOf(ack *packet.Connack, v mqtt.Version) error {
	if ack.Reason == mqtt.Success {
		return nil
	}
	r := &Refused{Version: v, Reason: ack.Reason, ReturnCode: byte(ack.Reason)}
	if v != mqtt.V5 {
		r.ReturnCode = packet.ReturnCode(ack.Reason)
	}
	if p := ack.Properties; p != nil {
		r.ReasonString, r.ServerReference = p.ReasonString, p.ServerReference
	}
	return r
}

// A Disconnected is a DISCONNECT sent by the server, 5.0 only [MQTT5 §3.14].
type Disconnected struct {
	Reason          mqtt.ReasonCode
	ReasonString    string
	ServerReference string
}

// DisconnectionOf reads a server's DISCONNECT.
func DisconnectionOf(p *packet.Disconnect) *Disconnected {
	d := &Disconnected{Reason: p.Reason}
	if p.Properties != nil {
		d.ReasonString, d.ServerReference = p.Properties.ReasonString, p.Properties.ServerReference
	}
	return d
}

func (d *Disconnected) Error() string {
	s := "the server closed the connection: " + d.Reason.Error()
	if d.ReasonString != "" {
		s += " (" + d.ReasonString + ")"
	}
	if d.ServerReference != "" {
		s += ", use " + d.ServerReference
	}
	return s
}

// Unwrap makes errors.Is(err, mqtt.SessionTakenOver) work.
func (d *Disconnected) Unwrap() error { return d.Reason }
