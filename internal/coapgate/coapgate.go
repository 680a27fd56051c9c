// Package coapgate is how Alibaba Cloud devices get in and report by CoAP: over
// plain UDP, where they encrypt what they say themselves, and over DTLS, with a
// pre-shared key or with a login inside [aliyun-device §7.2, §7.3]; and those of
// OneNET, over plain UDP [onenet §7]. It reads datagrams and answers in the vendor's words; who may come in the gate decides,
// and what a report says goes the way of every uplink.
//
// Anybody may send datagrams, from any address that he likes to write on them.
// So nothing is kept of an address that has not proved itself but for a while,
// in lists of a fixed size.
package coapgate

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/registry"
)

// A Gate decides who comes in, and is told who is there.
type Gate interface {
	Login(ctx context.Context, l dialect.Login, from broker.Origin, road string) (*dialect.Subject, *registry.Device, *dialect.Diagnosis, error)
	Known(ctx context.Context, d dialect.Dialect, c dialect.Claim) (*dialect.Subject, *registry.Device, *dialect.Diagnosis, error)
	Refuse(ctx context.Context, d dialect.Dialect, c dialect.Claim, from broker.Origin, why *dialect.Diagnosis)
	Heard(s *dialect.Subject, from broker.Origin, road string)
	Silent(s *dialect.Subject, since time.Time)
	Verify(ctx context.Context, l dialect.Login, from broker.Origin, road string) (*dialect.Subject, *dialect.Diagnosis, error)
	Leave(s *dialect.Subject)
}

// Uplinks takes what devices report.
type Uplinks interface {
	Take(who *dialect.Subject, topic string, payload []byte) ingest.Taken
}

// A Router hands messages to subscribers: the broker.
type Router interface {
	Publish(m broker.Message) int
}

// Options are what a Server needs.
type Options struct {
	Gate    Gate
	Uplinks Uplinks
	Router  Router
	// Certificate is what devices are shown that come by DTLS without a
	// pre-shared key; nil: they cannot.
	Certificate func(serverName string) (*tls.Certificate, error)
	// Sessions bounds the logins that are remembered, Connections those by DTLS.
	// 0 is the usual bound.
	Sessions    int
	Connections int
	Log         *slog.Logger
	Now         func() time.Time
}

// The usual bounds.
const (
	UsualSessions    = 100_000
	UsualConnections = 4096
)

// A Server serves devices. Any number of sockets may be served at once.
type Server struct {
	Options
	aliyun      aliyun.Dialect
	counters    Counters
	sessions    sessions
	exchanges   exchanges
	transfers   transfers
	presence    presence
	keys        keyring
	numbers     atomic.Uint64 // of connections
	connections atomic.Int64  // the most there may be
	messages    atomic.Uint32 // of our own
	patience    time.Duration // with handshakes
}

// New makes a Server.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{Options: o, patience: handshakeTime}
	s.sessions.init()
	s.SetLimits(cmp.Or(o.Sessions, UsualSessions), cmp.Or(o.Connections, UsualConnections))
	s.exchanges.init()
	s.transfers.init()
	s.presence.init()
	s.keys.init()
	return s
}

// SetLimits changes Options.Sessions and Options.Connections. What is above them
// goes as new ones come.
func (s *Server) SetLimits(sessions, connections int) {
	s.sessions.most.Store(int64(sessions))
	s.connections.Store(int64(connections))
}

// maxMessage is the greatest payload that is taken, before it is encrypted, in
// bytes. The vendor advises 1 KB.
const maxMessage = 4 << 10

// maxDatagram is the greatest datagram that is read whole.
const maxDatagram = maxMessage + 2<<10

// How many datagrams by plain UDP are worked on at once, and how many more wait
// of the addresses that a worker has. One more is dropped: who sent it sends it
// again.
const (
	workers = 32
	waiting = 64
)

// A datagram is one that waits for its worker.
type datagram struct {
	from netip.AddrPort
	data []byte
}

// Serve serves plain UDP until ctx is done, then returns nil. When it returns,
// conn is closed and what had come is answered.
func (s *Server) Serve(ctx context.Context, conn *net.UDPConn) error {
	defer conn.Close()
	local := addrOf(conn.LocalAddr())
	var queues [workers]chan datagram
	var working sync.WaitGroup
	defer working.Wait()
	lasting := context.WithoutCancel(ctx) // what has come is answered
	for i := range queues {
		queues[i] = make(chan datagram, waiting)
		defer close(queues[i])
		working.Go(func() {
			for d := range queues[i] {
				p := s.plain(d.from, local, func(b []byte) { conn.WriteToUDPAddrPort(b, d.from) })
				s.take(lasting, p, d.data)
			}
		})
	}
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(longAgo) })()
	buffer := make([]byte, maxDatagram+1)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			s.Log.Debug("read a datagram", "error", err) // an ICMP error of somebody else's, for instance
			continue
		}
		// All of one address goes to one worker, so that its order stays.
		select {
		case queues[spread(from)%workers] <- datagram{from, append([]byte(nil), buffer[:n]...)}:
		default:
			s.counters.Dropped.Add(1)
		}
	}
}

// spread is a number that differs between addresses.
func spread(a netip.AddrPort) uint32 {
	h := uint32(2166136261) // FNV-1a
	b := a.Addr().As16()
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return (h ^ uint32(a.Port())) * 16777619
}

func addrOf(a net.Addr) netip.AddrPort {
	if u, ok := a.(*net.UDPAddr); ok {
		return u.AddrPort()
	}
	return netip.AddrPort{}
}

// Run watches who is silent, until ctx is done.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.sweep(s.Now())
		case <-ctx.Done():
			return nil
		}
	}
}

// sweepEvery is how often those are looked for that have fallen silent.
const sweepEvery = 10 * time.Second

// Forget ends the sessions of a device: it is disabled or deleted, or has
// another secret.
func (s *Server) Forget(c dialect.Claim) {
	s.sessions.forget(c)
	s.presence.forget(c)
}

// A peer is who sent a datagram.
type peer struct {
	number uint64 // of its connection by DTLS, 0 by plain UDP
	from   broker.Origin
	road   string
	send   func([]byte)
	who    *dialect.Subject // who has proved with a pre-shared key who it is
}

// secure reports whether it came by DTLS.
func (p *peer) secure() bool { return p.number != 0 }

// The roads, in words for people and for the device's presence.
const (
	plainRoad  = "CoAP over UDP"
	secureRoad = "CoAP over DTLS"
)

func (s *Server) plain(from, local netip.AddrPort, send func([]byte)) *peer {
	return &peer{
		from: broker.Origin{Remote: netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), Local: local, Transport: "coap"},
		road: plainRoad, send: send,
	}
}

// down is what the server's own trouble looks like.
func (s *Server) down(what string, err error) {
	s.Log.Error("request of a device by CoAP", "what", what, "error", err)
}
