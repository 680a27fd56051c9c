package coapgate

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Measure registers the figures. They are read when they are asked for.
func (s *Server) Measure(r prometheus.Registerer) {
	read := func(n *atomic.Int64) func() float64 { return func() float64 { return float64(n.Load()) } }
	gauge := func(name, help string, n *atomic.Int64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "matou", Subsystem: "coap", Name: name, Help: help}, read(n)))
	}
	counter := func(name, help string, n *atomic.Int64, labels prometheus.Labels) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "matou", Subsystem: "coap", Name: name, Help: help, ConstLabels: labels}, read(n)))
	}
	c := &s.counters
	gauge("sessions", "Logins by CoAP that are remembered.", &c.Sessions)
	gauge("connections", "Connections by DTLS, handshakes among them.", &c.Connections)
	gauge("handshakes", "Handshakes by DTLS that are under way.", &c.Handshakes)
	counter("datagrams_received_total", "Datagrams received.", &c.Received, nil)
	for reason, n := range map[string]*atomic.Int64{"malformed": &c.Malformed, "busy": &c.Dropped, "repeated": &c.Repeated} {
		counter("datagrams_dropped_total", "Datagrams that were not worked on.", n, prometheus.Labels{"reason": reason})
	}
	counter("logins_total", "Logins by CoAP that were let in.", &c.Logins, nil)
	counter("messages_total", "Messages of devices that were taken.", &c.Messages, nil)
	counter("requests_refused_total", "Requests that were refused.", &c.Refused, nil)
	counter("handshakes_failed_total", "Handshakes by DTLS that did not end well.", &c.HandshakesFailed, nil)
	counter("sessions_dropped_total", "Sessions ended at a limit.", &c.SessionsDropped, nil)
	counter("connections_shed_total", "Connections by DTLS not begun at a limit.", &c.ConnectionsShed, nil)
}
