package httpapi

import (
	"context"
	"runtime"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/registry"
)

// A serverStatus is how the server is.
type serverStatus struct {
	Version     string    `json:"version"`
	Started     time.Time `json:"started"`
	Uptime      int64     `json:"uptime" doc:"Seconds"`
	Devices     int       `json:"devices"`
	Online      int       `json:"online"`
	Applied     uint64    `json:"historyApplied" doc:"The feed's record up to which history has read"`
	Goroutines  int       `json:"goroutines"`
	MemoryBytes uint64    `json:"memoryBytes" doc:"Memory that the program got from the system"`
	Broker      figures   `json:"broker"`
}

// figures are the broker's, since the start or now.
type figures struct {
	Connections      int64 `json:"connections"`
	Clients          int64 `json:"clients"`
	Accepted         int64 `json:"accepted"`
	Connects         int64 `json:"connects"`
	Refused          int64 `json:"refused"`
	Rejected         int64 `json:"rejected"`
	Shed             int64 `json:"shed"`
	TakeOvers        int64 `json:"takeOvers"`
	Faults           int64 `json:"faults"`
	MessagesIn       int64 `json:"messagesIn"`
	MessagesOut      int64 `json:"messagesOut"`
	BytesIn          int64 `json:"bytesIn"`
	BytesOut         int64 `json:"bytesOut"`
	Sessions         int64 `json:"sessions"`
	Subscriptions    int64 `json:"subscriptions"`
	Queued           int64 `json:"queued"`
	Retained         int64 `json:"retained"`
	DroppedSlow      int64 `json:"droppedSlow"`
	DroppedQueueFull int64 `json:"droppedQueueFull"`
	DroppedExpired   int64 `json:"droppedExpired"`
	StoreErrors      int64 `json:"storeErrors"`
}

func figuresOf(c *broker.Counters) figures {
	return figures{
		Connections: c.Connections.Load(), Clients: c.Clients.Load(), Accepted: c.Accepted.Load(), Connects: c.Connects.Load(),
		Refused: c.Refused.Load(), Rejected: c.Rejected.Load(), Shed: c.Shed.Load(), TakeOvers: c.TakeOvers.Load(), Faults: c.Faults.Load(),
		MessagesIn: c.MessagesIn.Load(), MessagesOut: c.MessagesOut.Load(), BytesIn: c.BytesIn.Load(), BytesOut: c.BytesOut.Load(),
		Sessions: c.Sessions.Load(), Subscriptions: c.Subscriptions.Load(), Queued: c.Queued.Load(), Retained: c.Retained.Load(),
		DroppedSlow: c.DroppedSlow.Load(), DroppedQueueFull: c.DroppedQueueFull.Load(), DroppedExpired: c.DroppedExpired.Load(),
		StoreErrors: c.StoreErrors.Load(),
	}
}

func (a *api) status(ctx context.Context, _ *none) (serverStatus, error) {
	n, err := a.Registry.CountDevices(ctx, registry.DeviceQuery{})
	if err != nil {
		return serverStatus{}, err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return serverStatus{
		Version: a.Version, Started: a.Started.UTC(), Uptime: int64(time.Since(a.Started).Seconds()),
		Devices: n, Online: a.Registry.CountOnline(), Applied: a.History.Applied(),
		Goroutines: runtime.NumGoroutine(), MemoryBytes: m.Sys, Broker: figuresOf(a.Broker.Counters()),
	}, nil
}
