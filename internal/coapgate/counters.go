package coapgate

import "sync/atomic"

// Counters are what has happened, for metrics. They only grow, but for
// Sessions, Connections and Handshakes, which are how many there are.
type Counters struct {
	Received, Malformed, Dropped, Repeated atomic.Int64 // datagrams
	Logins, Messages, Refused              atomic.Int64 // requests
	Sessions, Connections, Handshakes      atomic.Int64
	SessionsDropped, ConnectionsShed       atomic.Int64 // at a bound
	HandshakesFailed                       atomic.Int64
}

// Counters are the server's.
func (s *Server) Counters() *Counters { return &s.counters }
