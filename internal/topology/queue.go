package topology

import (
	"context"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
)

// The bounds of what waits for one sub-device. What is beyond is refused.
const (
	MaxWaiting      = 100
	MaxWaitingBytes = 1 << 20
	// WaitingLife is how long a message waits [aliyun-device §2.5].
	WaitingLife = 7 * 24 * time.Hour
)

// A Store remembers what sub-devices are to be told when they come back. What
// it is told of devices that do not exist, or for which nothing is kept, it
// passes over.
type Store interface {
	SubSession(ctx context.Context, id registry.ID) (keeps bool, err error)
	SaveSubSession(ctx context.Context, id registry.ID, keeps bool) error
	Wait(ctx context.Context, id registry.ID, w registry.Waiting) error
	Waiting(ctx context.Context, id registry.ID) ([]registry.Waiting, error) // oldest first
	CountWaiting(ctx context.Context, id registry.ID) (n, bytes int, err error)
	Waited(ctx context.Context, id registry.ID, seq int64) error // and all before
}

// Keep keeps a message for a sub-device that is away, whose last login said
// cleanSession false: broker.Queued, or why not. One that has come meanwhile is
// told at once.
func (s *Service) Keep(ctx context.Context, c dialect.Claim, d dialect.Downlink) (broker.Outcome, error) {
	if s.Store == nil {
		return broker.Offline, nil
	}
	turn := s.turn(c)
	turn.Lock()
	defer turn.Unlock()
	s.mu.Lock()
	st, there := s.stays[c]
	s.mu.Unlock()
	if there {
		return s.Broker.Send(st.gateway.Session(), broker.Message{Topic: d.Topic, Payload: d.Payload}, broker.Unasked), nil
	}
	if gateway, err := s.Registry.Gateway(ctx, id(c)); err != nil || gateway == (registry.ID{}) {
		return broker.Offline, err
	}
	if keeps, err := s.Store.SubSession(ctx, id(c)); err != nil || !keeps {
		return broker.Offline, err
	}
	n, bytes, err := s.Store.CountWaiting(ctx, id(c))
	if err != nil {
		return broker.Offline, err
	}
	if n >= MaxWaiting || n > 0 && bytes+len(d.Payload) > MaxWaitingBytes {
		return broker.QueueFull, nil
	}
	if s.Room != nil {
		if err := s.Room(); err != nil {
			return broker.Offline, err
		}
	}
	if err := s.Store.Wait(ctx, id(c), registry.Waiting{Topic: d.Topic, Payload: d.Payload, At: s.Now()}); err != nil {
		return broker.Offline, err
	}
	return broker.Queued, nil
}

// remember notes of a login what it says of its session: one that is clean
// begins with nothing that waited.
func (s *Service) remember(ctx context.Context, sub *dialect.SubDevice) error {
	if s.Store == nil {
		return nil
	}
	keeps, err := s.Store.SubSession(ctx, id(sub.Claim))
	if err != nil || keeps == sub.KeepSession {
		return err
	}
	return s.Store.SaveSubSession(ctx, id(sub.Claim), sub.KeepSession)
}

// catchUp tells sub-devices that have logged in what waited for them, in order
// and with QoS 1, by their gateway's session. What that has no room for waits
// on, until the next login.
func (s *Service) catchUp(by *dialect.Subject, subs []dialect.SubDevice) {
	ctx := context.Background()
	for i := range subs {
		if !subs[i].KeepSession {
			continue
		}
		c := subs[i].Claim
		all, err := s.Store.Waiting(ctx, id(c))
		if err != nil {
			s.Log.Error("messages that wait for a sub-device", "product", c.Product, "device", c.Device, "error", err)
			continue
		}
		last := int64(0)
		for _, w := range all {
			if s.Now().Sub(w.At) < WaitingLife && !s.handOver(by, c, w) {
				break
			}
			last = w.Seq
		}
		if last == 0 {
			continue
		}
		if err := s.Store.Waited(ctx, id(c), last); err != nil { // it is told once more at the next login
			s.Log.Error("messages that a sub-device was told", "product", c.Product, "device", c.Device, "error", err)
		}
	}
}

// handOver sends a message that waited; false where it has to wait on.
func (s *Service) handOver(by *dialect.Subject, c dialect.Claim, w registry.Waiting) bool {
	how := broker.IfSubscribed
	if by.Dialect.Unasked(by.Claim, w.Topic) {
		how = broker.Unasked
	}
	outcome := s.Broker.Send(by.Session(), broker.Message{Topic: w.Topic, Payload: w.Payload, QoS: mqtt.AtLeastOnce}, how)
	s.Trace.Record(trace.Entry{
		Product: c.Product, Device: c.Device, Kind: trace.Downlink, Direction: "down", Topic: w.Topic, Payload: w.Payload, QoS: 1,
		Sentence: "publish offline message to device: " + outcome.String(), SentenceZH: "下发离线消息：" + outcome.StringZH(),
	})
	switch outcome {
	case broker.Offline, broker.NoSession, broker.QueueFull:
		return false
	}
	return true
}
