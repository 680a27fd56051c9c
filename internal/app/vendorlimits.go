package app

import (
	"math"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
)

// VendorLimits are what a vendor wrote down for one device; 0 is none. Devices
// of strict products are held to them; any other is told where it says or hears
// Leniency times as much in a second, and where it has more subscriptions. All
// of them can be changed while the server runs.
type VendorLimits struct {
	QoS0Rate             int `yaml:"qos0Rate"`             // messages a second from the device
	QoS1Rate             int `yaml:"qos1Rate"`             // likewise; messages by HTTPS and CoAP are among them
	BytesRate            int `yaml:"bytesRate"`            // bytes a second from the device
	DownlinkRate         int `yaml:"downlinkRate"`         // messages a second to the device
	Subscriptions        int `yaml:"subscriptions"`        // of a device
	BroadcastSubscribers int `yaml:"broadcastSubscribers"` // of one topic
	Leniency             int `yaml:"leniency"`
}

func aliyunLimits() VendorLimits {
	l := aliyun.Dialect{}.Limits()
	return VendorLimits{
		QoS0Rate: l.QoS0, QoS1Rate: l.QoS1, BytesRate: l.Bytes, DownlinkRate: l.Downlinks,
		Subscriptions: l.Subscriptions, BroadcastSubscribers: l.Listeners, Leniency: dialect.Leniency,
	}
}

// setRules puts the limits of vendors into force.
func (d *Devices) setRules(b *dialect.Rulebook) {
	l, speaks := &d.Aliyun, aliyun.Dialect{}
	b.Set(speaks, speaks.Name(), dialect.Limits{
		QoS0: l.QoS0Rate, QoS1: l.QoS1Rate, Bytes: l.BytesRate, Downlinks: l.DownlinkRate,
		Subscriptions: l.Subscriptions, Listeners: l.BroadcastSubscribers,
	}, l.Leniency)
}

// check finds values that make no sense, with their keys.
func (l *VendorLimits) check(prefix string, bad func(key, format string, args ...any)) {
	for _, n := range []struct {
		key        string
		value, low int
		high       int
	}{
		{"qos0Rate", l.QoS0Rate, 0, math.MaxInt16}, {"qos1Rate", l.QoS1Rate, 0, math.MaxInt16}, {"bytesRate", l.BytesRate, 0, math.MaxInt32},
		{"downlinkRate", l.DownlinkRate, 0, math.MaxInt16}, {"subscriptions", l.Subscriptions, 0, math.MaxInt32},
		{"broadcastSubscribers", l.BroadcastSubscribers, 0, math.MaxInt32}, {"leniency", l.Leniency, 1, 1000},
	} {
		if n.value < n.low || n.value > n.high {
			bad(prefix+n.key, "%d is not from %d to %d", n.value, n.low, n.high)
		}
	}
}
