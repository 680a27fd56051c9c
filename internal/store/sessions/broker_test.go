package sessions

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// keeping grants sessions whose subscriptions hold for ever to "keep…".
type keeping struct{ broker.OpenRules }

func (keeping) Connect(_ context.Context, c *packet.Connect, _ broker.Origin) (*broker.Grant, error) {
	return &broker.Grant{MaxQoS: 2, KeepSubscriptions: strings.HasPrefix(c.ClientID, "keep")}, nil
}

// A life is one process: a broker on a file system that can crash.
type life struct {
	*broker.Broker
	t     *testing.T
	store *Store
	addr  string
}

func live(t *testing.T, fs vfs.FS) *life {
	t.Helper()
	db := open(t, fs)
	store := New(db, Options{})
	b, err := broker.New(broker.Options{Store: store, Rules: keeping{}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	all.Go(func() { b.Serve(ctx, ln) })
	all.Go(func() { b.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		all.Wait()
		if err := errors.Join(store.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return &life{Broker: b, t: t, store: store, addr: ln.Addr().String()}
}

// connect connects with 3.1.1 and returns the connection after CONNACK.
func (l *life) connect(id string, clean, present bool) net.Conn {
	l.t.Helper()
	nc, err := net.Dial("tcp", l.addr)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	put(l.t, nc, &packet.Connect{ProtocolName: "MQTT", Version: mqtt.V311, CleanStart: clean, ClientID: id})
	if a := get(l.t, nc).(*packet.Connack); a.SessionPresent != present || a.Reason != 0 {
		l.t.Fatalf("%s: CONNACK %+v, want session present %v", id, a, present)
	}
	return nc
}

func put(t *testing.T, nc net.Conn, list ...packet.Packet) {
	t.Helper()
	for _, p := range list {
		b, err := p.Append(nil, mqtt.V311)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := nc.Write(b); err != nil {
			t.Fatal(err)
		}
	}
}

func get(t *testing.T, nc net.Conn) packet.Packet {
	t.Helper()
	var b []byte
	for {
		b = append(b, 0)
		if _, err := io.ReadFull(nc, b[len(b)-1:]); err != nil {
			t.Fatal(err)
		}
		h, err := packet.ParseHeader(b)
		if err == packet.ErrIncomplete {
			continue
		}
		body := make([]byte, h.Remaining)
		if _, err := io.ReadFull(nc, body); err != nil {
			t.Fatal(err)
		}
		p, err := packet.Decode(h, body, mqtt.V311)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

func subscribe(t *testing.T, nc net.Conn, filter string) {
	t.Helper()
	put(t, nc, &packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{{Filter: filter, QoS: 2}}})
	get(t, nc)
}

// wantPublish reads a PUBLISH with this payload and returns it.
func wantPublish(t *testing.T, nc net.Conn, payload string, dup bool) *packet.Publish {
	t.Helper()
	p, ok := get(t, nc).(*packet.Publish)
	if !ok || string(p.Payload) != payload || p.Dup != dup {
		t.Fatalf("got %+v, want %q, dup %v", p, payload, dup)
	}
	return p
}

func wantSilence(t *testing.T, nc net.Conn) {
	t.Helper()
	put(t, nc, &packet.Pingreq{})
	if p := get(t, nc); p.Type() != packet.TypePingresp {
		t.Fatalf("got %+v, want silence", p)
	}
}

// crash returns the file system as a power cut leaves it.
func crash(fs *vfs.MemFS) *vfs.MemFS { return fs.CrashClone(vfs.CrashCloneCfg{}) }

func TestAcknowledgedMessagesSurviveACrash(t *testing.T) {
	fs := vfs.NewCrashableMem()
	first := live(t, fs)
	sub := first.connect("dev1", false, false)
	subscribe(t, sub, "t/#")
	sub.Close()
	for first.Online("dev1") {
	}
	pub := first.connect("pub", true, false)
	for i, qos := range []mqtt.QoS{1, 2, 1} {
		put(t, pub, &packet.Publish{Topic: []byte("t/x"), QoS: qos, ID: uint16(i + 1), Payload: []byte{byte('a' + i)}})
		get(t, pub)
	}
	put(t, pub, &packet.Publish{Topic: []byte("r"), QoS: 1, ID: 9, Payload: []byte("kept"), Retain: true})
	get(t, pub)

	second := live(t, crash(fs))
	sub = second.connect("dev1", false, true)
	for _, want := range []string{"a", "b", "c"} {
		wantPublish(t, sub, want, false)
	}
	second.Publish(broker.Message{Topic: "t/y", Payload: []byte("d"), QoS: 1}) // the subscription holds too
	wantPublish(t, sub, "d", false)
	subscribe(t, sub, "r")
	if p := wantPublish(t, sub, "kept", false); !p.Retain {
		t.Error("the retained message is not marked so")
	}
}

func TestMessagesInFlightSurviveACrash(t *testing.T) { // [MQTT3-4.4.0-1]
	fs := vfs.NewCrashableMem()
	first := live(t, fs)
	sub := first.connect("dev1", false, false)
	subscribe(t, sub, "t")
	for _, m := range []string{"a", "b", "c"} { // the client is there, and does not answer all
		first.Publish(broker.Message{Topic: "t", Payload: []byte(m), QoS: 2})
		wantPublish(t, sub, m, false)
	}
	put(t, sub, &packet.Pubrec{ID: 2})
	get(t, sub)
	put(t, sub, &packet.Pubrec{ID: 1})
	get(t, sub)
	put(t, sub, &packet.Pubcomp{ID: 1})
	wantSilence(t, sub)
	if err := first.store.Sync(); err != nil {
		t.Fatal(err)
	}

	second := live(t, crash(fs))
	sub = second.connect("dev1", false, true)
	if p, ok := get(t, sub).(*packet.Pubrel); !ok || p.ID != 2 {
		t.Fatalf("got %+v, want PUBREL 2", p)
	}
	if p := wantPublish(t, sub, "c", true); p.ID != 3 || p.QoS != 2 {
		t.Errorf("got %+v, want the identifier and QoS it had", p)
	}
	put(t, sub, &packet.Pubcomp{ID: 2}, &packet.Pubrec{ID: 3})
	get(t, sub)
	put(t, sub, &packet.Pubcomp{ID: 3})
	wantSilence(t, sub)
	if err := second.store.Sync(); err != nil {
		t.Fatal(err)
	}
	for _, r := range load(t, second.store) {
		if r.Kind == broker.MessageRecord || r.Kind == broker.ProgressRecord {
			t.Errorf("left in the store: %+v", r)
		}
	}
}

func TestReceivedQoS2SurvivesACrash(t *testing.T) { // [MQTT3-4.3.3-2]
	fs := vfs.NewCrashableMem()
	first := live(t, fs)
	sub := first.connect("sub", false, false)
	subscribe(t, sub, "t")
	put(t, sub, &packet.Disconnect{})
	if _, err := sub.Read(make([]byte, 1)); err != io.EOF { // it is away now
		t.Fatal(err)
	}
	pub := first.connect("pub", false, false)
	p := &packet.Publish{Topic: []byte("t"), QoS: 2, ID: 5, Payload: []byte("once")}
	put(t, pub, p)
	get(t, pub)

	second := live(t, crash(fs))
	pub = second.connect("pub", false, true)
	p.Dup = true
	put(t, pub, p)
	if a, ok := get(t, pub).(*packet.Pubrec); !ok || a.ID != 5 {
		t.Fatalf("got %+v, want PUBREC 5", a)
	}
	sub = second.connect("sub", false, true)
	wantPublish(t, sub, "once", false)
	wantSilence(t, sub)
	put(t, pub, &packet.Pubrel{ID: 5})
	get(t, pub)
	p.Dup = false
	put(t, pub, p)
	wantPublish(t, sub, "once", false) // after PUBREL it is a new message
}

func TestKeptSubscriptionsSurviveACrash(t *testing.T) {
	fs := vfs.NewCrashableMem()
	first := live(t, fs)
	sub := first.connect("keep1", true, false)
	subscribe(t, sub, "t")

	second := live(t, crash(fs))
	sub = second.connect("keep1", true, false)
	second.Publish(broker.Message{Topic: "t", Payload: []byte("a")})
	wantPublish(t, sub, "a", false)
}

func TestCleanSessionsNeverTouchTheStore(t *testing.T) {
	l := live(t, vfs.NewMem())
	sub := l.connect("dev1", true, false)
	subscribe(t, sub, "t")
	for _, qos := range []mqtt.QoS{1, 2} {
		l.Publish(broker.Message{Topic: "t", Payload: []byte("a"), QoS: qos})
		wantPublish(t, sub, "a", false)
		put(t, sub, &packet.Publish{Topic: []byte("other"), QoS: qos, ID: 7})
		get(t, sub)
	}
	put(t, sub, &packet.Disconnect{})
	io.Copy(io.Discard, sub)
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if l.store.next != nil || l.store.timer != nil {
		t.Error("something was written")
	}
}

func TestEndedSessionsLeaveNothing(t *testing.T) {
	l := live(t, vfs.NewMem())
	sub := l.connect("dev1", false, false)
	subscribe(t, sub, "t")
	l.Publish(broker.Message{Topic: "t", Payload: []byte("a"), QoS: 1})
	sub.Close()
	for l.Online("dev1") {
	}
	sub = l.connect("dev1", true, false)
	wantSilence(t, sub)
	if err := l.store.Sync(); err != nil {
		t.Fatal(err)
	}
	if left := load(t, l.store); len(left) > 0 {
		t.Errorf("left in the store: %+v", left)
	}
}
