package sessions

import (
	"bytes"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

func open(t testing.TB, fs vfs.FS) *pebble.DB {
	t.Helper()
	db, err := pebble.Open("db", &pebble.Options{FS: fs, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

type quiet struct{}

func (quiet) Infof(string, ...any)           {}
func (quiet) Errorf(string, ...any)          {}
func (quiet) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

// load returns what the store remembers, one line a record.
func load(t *testing.T, s *Store) (list []broker.Record) {
	t.Helper()
	if err := s.Load(func(r broker.Record) error { list = append(list, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

func sync_(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
}

// every holds one record of each kind, in the order in which they load.
func every() []broker.Record {
	text := "text"
	one := byte(1)
	return []broker.Record{
		{Kind: broker.RetainedRecord, Message: broker.Message{Topic: "a/b", Payload: []byte("on"), QoS: 1}},
		{Kind: broker.SessionRecord, Session: "pk/dn", ClientID: "pk.dn|x=1|", Present: true, Keep: true, Expiry: 7 * 24 * time.Hour, Offline: time.UnixMilli(1700000000123)},
		{Kind: broker.SubscriptionRecord, Session: "pk/dn", SubscriptionID: 5, Subscription: packet.Subscription{Filter: "/sys/+/#", QoS: 1, NoLocal: true, RetainAsPublished: true, RetainHandling: 2}},
		{Kind: broker.MessageRecord, Session: "pk/dn", Seq: 1, QoS: 1, Retain: true, SubIDs: []uint32{5, 300}, Message: broker.Message{
			Topic: "/sys/x", Payload: []byte{0, 1, 2}, QoS: 2, Expiry: time.UnixMilli(1800000000000),
			Properties: &packet.Properties{ContentType: text, PayloadFormat: &one, CorrelationData: []byte{9}, UserProperties: []packet.UserProperty{{Name: "k", Value: "v"}}},
		}},
		{Kind: broker.MessageRecord, Session: "pk/dn", Seq: 256, QoS: 2, Message: broker.Message{Topic: "t", Payload: []byte{}, QoS: 2}},
		{Kind: broker.ProgressRecord, Session: "pk/dn", Seq: 1, ID: 65535, Stage: 1},
		{Kind: broker.ReceivedRecord, Session: "pk/dn", ID: 7},
	}
}

func TestEveryRecordComesBack(t *testing.T) {
	s := New(open(t, vfs.NewMem()), Options{Prefix: "mq/"})
	want := every()
	for i := len(want) - 1; i >= 0; i-- { // the order of writing does not matter
		s.Write(want[i])
	}
	sync_(t, s)
	if got := load(t, s); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDeleting(t *testing.T) {
	kinds := func(list []broker.Record) string {
		var b strings.Builder
		for _, r := range list {
			fmt.Fprintf(&b, "%s%d ", r.Session, r.Kind)
		}
		return strings.TrimSpace(b.String())
	}
	for _, tt := range []struct {
		name   string
		delete broker.Record
		want   string
	}{
		{"a session takes all that is its own along", broker.Record{Kind: broker.SessionRecord, Session: "pk/dn"}, "6 pk/dm1 pk/do1 pk/dnx1"},
		{"content leaves the session and its subscriptions", broker.Record{Kind: broker.ContentRecord, Session: "pk/dn"}, "6 pk/dm1 pk/dn1 pk/dn2 pk/do1 pk/dnx1"},
		{"a message takes its progress along", broker.Record{Kind: broker.MessageRecord, Session: "pk/dn", Seq: 1}, "6 pk/dm1 pk/dn1 pk/dn2 pk/dn3 pk/dn5 pk/do1 pk/dnx1"},
		{"a subscription", broker.Record{Kind: broker.SubscriptionRecord, Session: "pk/dn", Subscription: packet.Subscription{Filter: "/sys/+/#"}}, "6 pk/dm1 pk/dn1 pk/dn3 pk/dn3 pk/dn4 pk/dn5 pk/do1 pk/dnx1"},
		{"a received identifier", broker.Record{Kind: broker.ReceivedRecord, Session: "pk/dn", ID: 7}, "6 pk/dm1 pk/dn1 pk/dn2 pk/dn3 pk/dn3 pk/dn4 pk/do1 pk/dnx1"},
		{"a retained message", broker.Record{Kind: broker.RetainedRecord, Message: broker.Message{Topic: "a/b"}}, "pk/dm1 pk/dn1 pk/dn2 pk/dn3 pk/dn3 pk/dn4 pk/dn5 pk/do1 pk/dnx1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := open(t, vfs.NewMem())
			s := New(db, Options{Prefix: "mq/"})
			s.Write(every()...)
			for _, neighbour := range []string{"pk/dm", "pk/do", "pk/dnx"} {
				s.Write(broker.Record{Kind: broker.SessionRecord, Session: neighbour})
			}
			tt.delete.Delete = true
			s.Write(tt.delete)
			sync_(t, s)
			if got := kinds(load(t, s)); got != tt.want {
				t.Errorf("left: %s\nwant: %s", got, tt.want)
			}
		})
	}
}

func TestLaterChangesWin(t *testing.T) {
	s := New(open(t, vfs.NewMem()), Options{})
	r := broker.Record{Kind: broker.SessionRecord, Session: "a", ClientID: "first"}
	gone := r
	gone.Delete = true
	r.ClientID = "second"
	s.Write(broker.Record{Kind: broker.SessionRecord, Session: "a", ClientID: "first"}, gone, r)
	sync_(t, s)
	if got := load(t, s); len(got) != 1 || got[0].ClientID != "second" {
		t.Errorf("got %+v, want the second", got)
	}
}

func TestSyncedSurvivesACrash(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := New(open(t, fs), Options{})
	s.Write(every()...)
	sync_(t, s)
	after := New(open(t, fs.CrashClone(vfs.CrashCloneCfg{})), Options{})
	if got, want := load(t, after), every(); !reflect.DeepEqual(got, want) {
		t.Errorf("after the crash: %+v", got)
	}
}

func TestCloseWritesWhatNobodyWaitedFor(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := New(open(t, fs), Options{})
	s.Write(every()...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	after := New(open(t, fs.CrashClone(vfs.CrashCloneCfg{})), Options{})
	if got := load(t, after); len(got) != len(every()) {
		t.Errorf("%d records are left of %d", len(got), len(every()))
	}
}

func TestManyWritersShareASync(t *testing.T) {
	s := New(open(t, vfs.NewMem()), Options{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 100 {
				s.Write(broker.Record{Kind: broker.SessionRecord, Session: fmt.Sprint(i, "/", j)})
				if err := s.Sync(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := load(t, s); len(got) != 800 {
		t.Errorf("%d records, want 800", len(got))
	}
}

func TestBrokenRecordsAreLeftOut(t *testing.T) {
	db := open(t, vfs.NewMem())
	var logged bytes.Buffer
	s := New(db, Options{Prefix: "mq/", Log: slog.New(slog.NewTextHandler(&logged, nil))})
	s.Write(every()...)
	sync_(t, s)
	key := appendKey([]byte("mq/"), &broker.Record{Kind: broker.MessageRecord, Session: "pk/dn", Seq: 1})
	value, closer, err := db.Get(key)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(value)
	closer.Close()
	bad[len(bad)/2] ^= 1
	for _, kv := range [][2][]byte{{key, bad}, {[]byte("mq/s"), nil}, {[]byte("mq/zzz"), []byte("?")}, {[]byte("mr/"), []byte("somebody else's")}} {
		if err := db.Set(kv[0], kv[1], pebble.NoSync); err != nil {
			t.Fatal(err)
		}
	}
	if got := load(t, s); len(got) != len(every())-1 {
		t.Errorf("%d records are left of %d, want all but one", len(got), len(every()))
	}
	if n := strings.Count(logged.String(), "left out"); n != 3 {
		t.Errorf("%d records are logged, want 3:\n%s", n, logged.String())
	}
}

func TestAFailingCallbackEndsLoad(t *testing.T) {
	s := New(open(t, vfs.NewMem()), Options{})
	s.Write(every()...)
	sync_(t, s)
	stop := fmt.Errorf("stop")
	n := 0
	if err := s.Load(func(broker.Record) error { n++; return stop }); err != stop || n != 1 {
		t.Errorf("Load = %v after %d records, want stop after 1", err, n)
	}
}

// FuzzDecode: a record may be refused, but one that is read must be written
// and read again as the same.
func FuzzDecode(f *testing.F) {
	for _, r := range every() {
		value, err := appendValue(nil, &r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(appendKey(nil, &r), value[:len(value)-4])
	}
	f.Fuzz(func(t *testing.T, key, body []byte) {
		first, err := decode(key, seal(bytes.Clone(body), 0))
		if err != nil {
			return
		}
		value, err := appendValue(nil, &first)
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", first, err)
		}
		second, err := decode(appendKey(nil, &first), value)
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Errorf("%+v became %+v, %v", first, second, err)
		}
	})
}

// TestAMessageMayHaveManyIdentifiers: as many as a session may have
// subscriptions, and that is the operator's choice.
func TestAMessageMayHaveManyIdentifiers(t *testing.T) {
	r := broker.Record{Kind: broker.MessageRecord, Session: "s", Seq: 1, QoS: 1, Message: broker.Message{Topic: "t", Payload: []byte{}, QoS: 1}}
	for i := range 5_000 {
		r.SubIDs = append(r.SubIDs, uint32(i+1))
	}
	value, err := appendValue(nil, &r)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decode(appendKey(nil, &r), value); err != nil || len(got.SubIDs) != len(r.SubIDs) {
		t.Errorf("%d identifiers, %v", len(got.SubIDs), err)
	}
}

// FuzzAppend: whatever is written is read as the same.
func FuzzAppend(f *testing.F) {
	f.Add(byte(1), "pk/dn", "a/+", "payload", byte(2), uint32(268435455), int64(1700000000123), uint64(1))
	f.Add(byte(3), "", "t", "", byte(1), uint32(0), int64(0), uint64(1<<63))
	f.Add(byte(6), "s", "#", "x", byte(0), uint32(5), int64(-1), uint64(0))
	f.Fuzz(func(t *testing.T, kind byte, session, topic, text string, flags byte, id uint32, ms int64, seq uint64) {
		r := broker.Record{Kind: broker.RecordKind(kind%6 + 1)}
		if r.Kind != broker.RetainedRecord {
			r.Session = session[:min(len(session), 65535)] // a client identifier is no longer
		}
		qos := mqtt.QoS(flags % 3)
		m := broker.Message{Topic: topic, Payload: []byte(text), QoS: qos, Retain: flags&8 != 0, Expiry: fromMillis(ms)}
		if flags&16 != 0 { // texts of a PUBLISH have been checked like topics
			m.Properties = &packet.Properties{ContentType: topic, CorrelationData: []byte(text), UserProperties: []packet.UserProperty{{Name: topic, Value: topic}}}
		}
		switch r.Kind {
		case broker.SessionRecord:
			r.ClientID, r.Present, r.Keep, r.Expiry, r.Offline = text, flags&8 != 0, flags&16 != 0, time.Duration(id)*time.Second, fromMillis(ms)
		case broker.SubscriptionRecord:
			if mqtt.ValidFilter(topic) != nil {
				return // the broker refuses it
			}
			r.SubscriptionID = id % (1 << 28)
			r.Subscription = packet.Subscription{Filter: topic, QoS: qos, NoLocal: flags&8 != 0, RetainAsPublished: flags&16 != 0, RetainHandling: flags >> 6}
		case broker.MessageRecord:
			if qos == 0 || mqtt.ValidTopicName(topic) != nil {
				return
			}
			r.Seq, r.QoS, r.Retain, r.Message = seq, qos, flags&32 != 0, m
			if id > 0 {
				r.SubIDs = []uint32{id % (1 << 28)}
			}
		case broker.ProgressRecord:
			r.Seq, r.ID, r.Stage = seq, uint16(id), flags&1
		case broker.ReceivedRecord:
			r.ID = uint16(id)
		case broker.RetainedRecord:
			if mqtt.ValidTopicName(topic) != nil {
				return
			}
			r.Message = m
		}
		value, err := appendValue(nil, &r)
		if err != nil {
			return // said so in the log
		}
		got, err := decode(appendKey(nil, &r), value)
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%+v became %+v, %v", r, got, err)
		}
	})
}
