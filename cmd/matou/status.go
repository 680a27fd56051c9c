package main

import (
	"fmt"
	"io"
	"time"
)

type statusCmd struct {
	apiFlags
}

func (*statusCmd) Help() string {
	return `Shows how the server is: devices, connections, messages, memory.

Examples:
  matou status
  matou status --json
  matou status --server http://192.168.1.10:7080 --token mt_…`
}

// serverStatus is a part of what the API says; --json prints all of it.
type serverStatus struct {
	Version     string    `json:"version"`
	Started     time.Time `json:"started"`
	Uptime      int64     `json:"uptime"`
	Devices     int       `json:"devices"`
	Online      int       `json:"online"`
	MemoryBytes uint64    `json:"memoryBytes"`
	Goroutines  int       `json:"goroutines"`
	Broker      struct {
		Connections, Clients, Sessions, Subscriptions, Queued int64
		Connects, Refused, TakeOvers, Faults                  int64
		MessagesIn, MessagesOut                               int64
		DroppedSlow, DroppedQueueFull, StoreErrors            int64
	} `json:"broker"`
}

func (c *statusCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[serverStatus](g, r, "GET", at("status"), nil, nil)
}

func (s *serverStatus) print(w io.Writer) {
	b := &s.Broker
	fields(w,
		"version", s.Version,
		"up", fmt.Sprintf("%s since %s", (time.Duration(s.Uptime)*time.Second).String(), seconds(s.Started)),
		"devices", fmt.Sprintf("%d, %d online", s.Devices, s.Online),
		"connections", fmt.Sprintf("%d, %d connected by MQTT", b.Connections, b.Clients),
		"logins", fmt.Sprintf("%d admitted, %d refused, %d took over", b.Connects, b.Refused, b.TakeOvers),
		"sessions", fmt.Sprintf("%d with %d subscriptions, %d messages waiting", b.Sessions, b.Subscriptions, b.Queued),
		"messages", fmt.Sprintf("%d received, %d sent, %d dropped", b.MessagesIn, b.MessagesOut, b.DroppedSlow+b.DroppedQueueFull),
		"faults", fmt.Sprintf("%d broken packets, %d failures of the store", b.Faults, b.StoreErrors),
		"memory", fmt.Sprintf("%d MiB, %d goroutines", s.MemoryBytes>>20, s.Goroutines),
	)
}
