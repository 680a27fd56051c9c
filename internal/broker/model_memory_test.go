package broker_test

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A memory is a Store without a disk. Like a real one it keeps messages as
// bytes, and what cannot be written that way is lost.
type memory struct {
	mu      sync.Mutex
	records map[memoryKey]broker.Record
	lost    error
}

type memoryKey struct {
	session, filter, topic string
	kind                   broker.RecordKind
	seq                    uint64
	id                     uint16
}

func keyOf(r *broker.Record) memoryKey {
	k := memoryKey{session: r.Session, kind: r.Kind}
	switch r.Kind {
	case broker.SubscriptionRecord:
		k.filter = r.Subscription.Filter
	case broker.MessageRecord, broker.ProgressRecord:
		k.seq = r.Seq
	case broker.ReceivedRecord:
		k.id = r.ID
	case broker.RetainedRecord:
		k.topic = r.Message.Topic
	}
	return k
}

func (m *memory) Load(fn func(broker.Record) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []memoryKey
	for k := range m.records {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b memoryKey) int {
		return cmp.Or(cmp.Compare(a.session, b.session), cmp.Compare(a.kind, b.kind), cmp.Compare(a.seq, b.seq),
			cmp.Compare(a.filter, b.filter), cmp.Compare(a.id, b.id), cmp.Compare(a.topic, b.topic))
	})
	for _, k := range keys {
		if err := fn(m.records[k]); err != nil {
			return err
		}
	}
	return m.lost
}

func (m *memory) Write(records ...broker.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records == nil {
		m.records = make(map[memoryKey]broker.Record)
	}
	for _, r := range records {
		switch {
		case r.Delete && (r.Kind == broker.SessionRecord || r.Kind == broker.ContentRecord):
			for k := range m.records {
				if k.session == r.Session && k.kind != broker.RetainedRecord && (r.Kind == broker.SessionRecord || k.kind >= broker.MessageRecord) {
					delete(m.records, k)
				}
			}
		case r.Delete:
			delete(m.records, keyOf(&r))
			if r.Kind == broker.MessageRecord {
				delete(m.records, memoryKey{session: r.Session, kind: broker.ProgressRecord, seq: r.Seq})
			}
		default:
			m.records[keyOf(&r)] = m.copied(r)
		}
	}
}

// copied takes a record's message through its bytes.
func (m *memory) copied(r broker.Record) broker.Record {
	r.SubIDs = slices.Clone(r.SubIDs)
	if r.Kind != broker.MessageRecord && r.Kind != broker.RetainedRecord {
		return r
	}
	p := packet.Publish{Topic: []byte(r.Message.Topic), Payload: r.Message.Payload, QoS: r.Message.QoS, Properties: r.Message.Properties}
	if p.QoS > 0 {
		p.ID = 1
	}
	b, err := p.Append(nil, mqtt.V5)
	if err == nil {
		var h packet.Header
		h, err = packet.ParseHeader(b)
		if err == nil {
			err = p.Decode(h, b[h.Size:], mqtt.V5)
		}
	}
	if err != nil {
		m.lost = fmt.Errorf("%+v cannot be kept: %w", r, err)
	}
	r.Message.Topic, r.Message.Payload, r.Message.Properties = string(p.Topic), p.Payload, p.Properties
	return r
}

func (m *memory) Together(fn func()) { fn() }

func (m *memory) Sync() error { return nil }
