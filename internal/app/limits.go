package app

import (
	"math"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/coapgate"
	"github.com/matou-iot/matou/mqtt"
)

// Limits bound what devices can make the server hold. What happens at each
// stands in docs/operating.md. All of them can be changed while it runs.
type Limits struct {
	ConnectionsPerAddress int `yaml:"connectionsPerAddress"` // 0 for none: a whole site may share an address
	ConnectRatePerAddress int `yaml:"connectRatePerAddress"` // a second, and at once; 0 for none
	ConnectRatePerDevice  int `yaml:"connectRatePerDevice"`  // a second, and at once; 0 for none

	StallTimeout time.Duration `yaml:"stallTimeout"`

	ConnectBytes  int `yaml:"connectBytes"`
	TopicBytes    int `yaml:"topicBytes"`
	TopicLevels   int `yaml:"topicLevels"`
	Subscriptions int `yaml:"subscriptions"` // of a session

	Inflight       int `yaml:"inflight"`
	ReceiveMaximum int `yaml:"receiveMaximum"`
	TopicAliases   int `yaml:"topicAliases"`
	OutBufferBytes int `yaml:"outBufferBytes"`

	QueueMessages   int   `yaml:"queueMessages"`   // of a session
	QueueBytes      int   `yaml:"queueBytes"`      // of a session
	QueueTotalBytes int64 `yaml:"queueTotalBytes"` // of all sessions

	SessionExpiry   time.Duration `yaml:"sessionExpiry"`
	OfflineSessions int           `yaml:"offlineSessions"`

	RetainedMessages int   `yaml:"retainedMessages"`
	RetainedBytes    int64 `yaml:"retainedBytes"`

	CoAPSessions     int `yaml:"coapSessions"`     // logins by CoAP that are remembered
	CoAPSConnections int `yaml:"coapsConnections"` // by DTLS
}

// connectRatePerDevice is far above what firmware does that waits at all
// between two attempts.
const connectRatePerDevice = 20

// defaultLimits are the broker's own.
func defaultLimits() Limits {
	b := broker.DefaultLimits()
	return Limits{
		ConnectionsPerAddress: b.ConnectionsPerAddress, ConnectRatePerAddress: b.ConnectRatePerAddress,
		ConnectRatePerDevice: connectRatePerDevice, StallTimeout: b.StallTimeout,
		ConnectBytes: b.ConnectSize, TopicBytes: b.TopicLength, TopicLevels: b.TopicLevels, Subscriptions: b.Subscriptions,
		Inflight: b.Inflight, ReceiveMaximum: b.ReceiveMaximum, TopicAliases: b.TopicAliases, OutBufferBytes: b.OutBuffer,
		QueueMessages: b.QueueCount, QueueBytes: b.QueueBytes, QueueTotalBytes: b.QueueTotal,
		SessionExpiry: b.SessionExpiry, OfflineSessions: b.OfflineSessions,
		RetainedMessages: b.RetainedCount, RetainedBytes: b.RetainedBytes,
		CoAPSessions: coapgate.UsualSessions, CoAPSConnections: coapgate.UsualConnections,
	}
}

// broker are the limits as the broker has them.
func (d *Devices) broker() broker.Limits {
	l := &d.Limits
	return broker.Limits{
		Connections: d.MaxConnections, ConnectionsPerAddress: l.ConnectionsPerAddress, ConnectRatePerAddress: l.ConnectRatePerAddress,
		ConnectTimeout: d.ConnectTimeout, StallTimeout: l.StallTimeout,
		PacketSize: d.MaxPacketBytes, ConnectSize: l.ConnectBytes, TopicLength: l.TopicBytes, TopicLevels: l.TopicLevels,
		Subscriptions: l.Subscriptions, Inflight: l.Inflight, ReceiveMaximum: l.ReceiveMaximum, TopicAliases: l.TopicAliases,
		OutBuffer: l.OutBufferBytes, QueueCount: l.QueueMessages, QueueBytes: l.QueueBytes, QueueTotal: l.QueueTotalBytes,
		SessionExpiry: l.SessionExpiry, OfflineSessions: l.OfflineSessions,
		RetainedCount: l.RetainedMessages, RetainedBytes: l.RetainedBytes,
	}
}

// maxBytes is above what any machine has for one thing, and far from where
// sums would overflow.
const maxBytes = 1 << 40

// check finds values that make no sense, with their keys.
func (d *Devices) check(bad func(key, format string, args ...any)) {
	l := &d.Limits
	for _, n := range []struct {
		key              string
		value, low, high int64
	}{
		{"maxConnections", int64(d.MaxConnections), 1, math.MaxInt32},
		{"maxPacketBytes", int64(d.MaxPacketBytes), 1024, largestPacket},
		{"limits.connectionsPerAddress", int64(l.ConnectionsPerAddress), 0, math.MaxInt32},
		{"limits.connectRatePerAddress", int64(l.ConnectRatePerAddress), 0, math.MaxInt32},
		{"limits.connectRatePerDevice", int64(l.ConnectRatePerDevice), 0, math.MaxInt32},
		{"limits.connectBytes", int64(l.ConnectBytes), 1024, largestPacket},
		{"limits.topicBytes", int64(l.TopicBytes), 16, math.MaxUint16},
		{"limits.topicLevels", int64(l.TopicLevels), 8, mqtt.MaxTopicLevels},
		{"limits.subscriptions", int64(l.Subscriptions), 1, math.MaxInt32},
		{"limits.inflight", int64(l.Inflight), 1, math.MaxUint16},
		{"limits.receiveMaximum", int64(l.ReceiveMaximum), 1, math.MaxUint16},
		{"limits.topicAliases", int64(l.TopicAliases), 1, math.MaxUint16},
		{"limits.outBufferBytes", int64(l.OutBufferBytes), 1024, maxBytes},
		{"limits.queueMessages", int64(l.QueueMessages), 1, math.MaxInt32},
		{"limits.queueBytes", int64(l.QueueBytes), 1024, maxBytes},
		{"limits.queueTotalBytes", l.QueueTotalBytes, 1024, maxBytes},
		{"limits.offlineSessions", int64(l.OfflineSessions), 1, math.MaxInt32},
		{"limits.retainedMessages", int64(l.RetainedMessages), 1, math.MaxInt32},
		{"limits.retainedBytes", l.RetainedBytes, 1024, maxBytes},
		{"limits.coapSessions", int64(l.CoAPSessions), 1, math.MaxInt32},
		{"limits.coapsConnections", int64(l.CoAPSConnections), 1, math.MaxInt32},
	} {
		if n.value < n.low || n.value > n.high {
			bad("devices."+n.key, "%d is not from %d to %d", n.value, n.low, n.high)
		}
	}
	for _, n := range []struct {
		key   string
		value time.Duration
	}{
		{"connectTimeout", d.ConnectTimeout}, {"limits.stallTimeout", l.StallTimeout}, {"limits.sessionExpiry", l.SessionExpiry},
	} {
		if n.value < time.Second {
			bad("devices."+n.key, "must be 1s or more, not %v", n.value)
		}
	}
}

// largestPacket is the largest packet there can be [MQTT5 §2.1.4].
const largestPacket = 268_435_460
