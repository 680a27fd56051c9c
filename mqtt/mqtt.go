// Package mqtt holds the protocol's words that every other MQTT room shares:
// versions, qualities of service, reason codes, topic names and topic filters.
//
// It reads no bytes and opens no socket: see packet for the wire codec,
// session for the acknowledged exchanges and client for a client.
package mqtt

import "fmt"

// A Version is the protocol level of a CONNECT [MQTT3 §3.1.2.2] [MQTT5 §3.1.2.2].
type Version byte

// The protocol levels that exist.
const (
	V31  Version = 3 // "MQIsdp", MQTT 3.1
	V311 Version = 4 // "MQTT", MQTT 3.1.1
	V5   Version = 5 // "MQTT", MQTT 5.0
)

// String names the version as people do: "3.1", "3.1.1", "5.0".
func (v Version) String() string {
	switch v {
	case V31:
		return "3.1"
	case V311:
		return "3.1.1"
	case V5:
		return "5.0"
	}
	return fmt.Sprintf("level %d", byte(v))
}

// The ports that are registered for MQTT, and for MQTT inside TLS.
const (
	Port    = 1883
	TLSPort = 8883
)

// UsualPort is where brokers listen, with TLS or without.
func UsualPort(tls bool) int {
	if tls {
		return TLSPort
	}
	return Port
}

// A QoS is a quality of service, 0 to 2 [MQTT3 §4.3] [MQTT5 §4.3].
type QoS byte

// The qualities of service.
const (
	AtMostOnce  QoS = 0
	AtLeastOnce QoS = 1
	ExactlyOnce QoS = 2
)

// Valid reports whether q is one of the three qualities that exist.
func (q QoS) Valid() bool { return q <= ExactlyOnce }
