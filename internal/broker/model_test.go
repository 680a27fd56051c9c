package broker_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// TestModel plays random clients against the broker and holds what each of
// them gets, after every move, against a reference of maps and slices.
//
// MATOU_MODEL_SEEDS=5000 plays the games 1 to 5000, =77-77 only that one. A
// game that is lost is shrunk: what it prints is all that is needed to lose it
// again.
func TestModel(t *testing.T) {
	from, to := modelSeeds(t)
	for seed := from; seed <= to; seed++ {
		rules, moves := deal(seed)
		err := playGame(t, rules, moves)
		if err == nil {
			continue
		}
		t.Errorf("seed %d, %d moves: %v", seed, len(moves), err)
		moves, err = shrink(t, rules, moves, err)
		var list strings.Builder
		for _, m := range moves {
			fmt.Fprintf(&list, "\n\t%s", sayMove(m))
		}
		t.Fatalf("the same with %+v and %d moves: %v%s", rules, len(moves), err, list.String())
	}
}

// defaultModelSeeds take about ten seconds with the race detector.
const defaultModelSeeds = 500

func modelSeeds(t *testing.T) (from, to uint64) {
	s := cmp.Or(os.Getenv("MATOU_MODEL_SEEDS"), strconv.Itoa(defaultModelSeeds))
	first, last, ok := strings.Cut(s, "-")
	if !ok {
		first, last = "1", first
	}
	from, err := strconv.ParseUint(first, 10, 64)
	if err == nil {
		to, err = strconv.ParseUint(last, 10, 64)
	}
	if err != nil {
		t.Fatalf("MATOU_MODEL_SEEDS=%s: want a number of games or two seeds with a hyphen", s)
	}
	return from, to
}

// Terms are on what a game is played.
type terms struct {
	Queue, Inflight, ReceiveMaximum, Subscriptions int
	Retain                                         bool
}

// deal makes the game of a seed.
func deal(seed uint64) (x terms, moves []move) {
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(list ...int) int { return list[r.IntN(len(list))] }
	x = terms{Queue: pick(1000, 1000, 3), Inflight: pick(20, 3, 1), ReceiveMaximum: pick(1000, 3, 1), Subscriptions: pick(1000, 1000, 3)}
	x.Retain = x.Queue == 1000 // which of several retained messages a full queue takes is the broker's choice
	for range 40 + r.IntN(160) {
		moves = append(moves, draw(r))
	}
	return x, moves
}

// zeroes are the fields that sayMove leaves out.
var zeroes = regexp.MustCompile(`\b(ID|Clean|Expiry|Will\w*|Window|Aliases|MaxPacket|KeepAlive|Auto|QoS|NoLocal|Retain\w*|Then|Empty|Props|Alias|Released|From|Fail|Forget|Reason|How):(0|false)? `)

// sayMove is a move in one line, without what is zero.
func sayMove(m move) string {
	s := zeroes.ReplaceAllString(strings.NewReplacer("}", " }", "]", " ]").Replace(fmt.Sprintf("%T%+v", m, m)), "")
	return strings.NewReplacer("broker_test.", "", " }", "}", " ]", "]").Replace(s)
}

// shrink leaves out what a lost game can do without.
func shrink(t *testing.T, x terms, moves []move, err error) ([]move, error) {
	for size := len(moves) / 2; size > 0; {
		smaller := false
		for at := 0; at < len(moves); {
			fewer := slices.Concat(moves[:at], moves[min(at+size, len(moves)):])
			if e := playGame(t, x, fewer); e != nil {
				moves, err, smaller = fewer, e, true
				continue
			}
			at += size
		}
		if !smaller || size > 1 {
			size /= 2
		}
	}
	return moves, err
}

// A game is a broker, its clients and the reference.
type game struct {
	t      *testing.T
	m      *reference
	retain bool
	err    error

	b     *broker.Broker
	store *memory
	doors *doors
	pipes *pipes
	stop  func()

	at     [modelClients]*link // who is there
	links  []*link             // all that are open
	said   int                 // payloads made
	rounds int
	id     uint16
}

// playGame plays moves and returns what went wrong.
func playGame(t *testing.T, x terms, moves []move) (err error) {
	synctest.Test(t, func(t *testing.T) {
		g := &game{t: t, retain: x.Retain, store: &memory{}, m: &reference{
			limits: broker.Limits{
				QueueCount: x.Queue, Inflight: x.Inflight, ReceiveMaximum: x.ReceiveMaximum, Subscriptions: x.Subscriptions,
				SessionExpiry: 30 * time.Second, TopicAliases: 4, PacketSize: 4096,
			},
			sessions: make(map[string]*refSession), retained: make(map[string]*refMessage), shares: make(map[string]*refShare),
			now: time.Now(), started: time.Now(), checked: time.Now(),
		}}
		g.start()
		g.pass(time.Second / 2) // between the ticks
		for i, m := range moves {
			m.play(g)
			g.settle()
			g.pass(time.Millisecond) // no two moves at the same moment
			if g.err != nil {
				err = fmt.Errorf("move %d %s: %w", i, sayMove(m), g.err)
				break
			}
		}
		for _, l := range g.links {
			l.conn.Close()
		}
		g.stop()
	})
	return err
}

func (g *game) start() {
	g.doors = &doors{there: make(map[string]*broker.Client)}
	b, err := broker.New(broker.Options{Rules: g.doors, Store: g.store, Limits: g.m.limits})
	if err != nil {
		g.fail(err)
		return
	}
	g.b, g.pipes = b, &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { b.Serve(ctx, g.pipes) })
	all.Go(func() { b.Run(ctx) })
	g.stop = func() {
		b.Shutdown(context.Background())
		cancel()
		all.Wait()
	}
}

func (g *game) restart() {
	g.stop()
	g.m.restart()
	g.at = [modelClients]*link{}
	g.wait()
	g.look()
	g.start()
}

func (g *game) fail(err error) {
	if g.err == nil {
		g.err = err
	}
}

func (g *game) wait() { synctest.Wait() }

func (g *game) pass(d time.Duration) {
	time.Sleep(d)
	g.m.advance(time.Now())
	g.wait()
}

func (g *game) packetID() uint16 { g.id++; return g.id }

// payload makes one that no other message has.
func (g *game) payload(client int) string {
	g.said++
	return fmt.Sprintf("%d of c%d", g.said, client)
}

// fault is the end of l by its own fault.
func (g *game) fault(l *link) {
	l.ref.fault = true
	g.m.end(l.ref, broker.Faulted, "DISCONNECT")
	g.at[l.client] = nil
}

// settle looks at what everybody got, and lets those acknowledge it who do so
// at once, until nobody has anything more to say.
func (g *game) settle() {
	for more := true; more && g.err == nil; {
		g.wait()
		g.look()
		more = false
		for _, l := range g.links {
			if l.auto && !l.ref.ended && len(l.owed) > 0 {
				list := l.owed
				l.owed, more = nil, true
				g.pass(time.Millisecond) // no two keep-alives may end at the same moment
				g.acknowledge(l, list, false)
				break
			}
		}
	}
}

// look holds what clients got against the reference.
func (g *game) look() {
	for _, l := range g.links {
		if l.ref == nil {
			continue
		}
		l.ref.settle()
		if l.ref.ended && g.at[l.client] == l {
			g.at[l.client] = nil
		}
		packets, ended, err := l.read()
		for i := 0; i < len(packets) && err == nil; i++ {
			if _, first := packets[i].(*packet.Connack); i == 0 && l.fresh && !first {
				err = fmt.Errorf("the first packet is %s", refSay(packets[i], l.version))
				break
			}
			l.fresh = false
			if err = g.m.accept(l.ref, packets[i]); err == nil {
				l.owe(packets[i])
			}
		}
		switch {
		case l.gone: // it does not see what it did not read
		case err != nil:
		case ended != l.ref.ended:
			err = fmt.Errorf("the connection has ended: %v, want %v", ended, l.ref.ended)
		default:
			err = g.m.missing(l.ref)
		}
		if err != nil {
			g.fail(fmt.Errorf("%s (%v): %w", clientID(l.client), l.version, err))
			return
		}
	}
	g.m.checked = g.m.now
	for _, s := range g.m.sessions {
		s.ahead = 0
	}
	g.links = slices.DeleteFunc(g.links, func(l *link) bool { return l.ref == nil || l.ref.ended })
	if err := g.doors.compare(g.m.closed); err != nil {
		g.fail(err)
	}
	g.m.closed = nil
	g.count()
}

// count holds the broker's figures against the reference.
func (g *game) count() {
	var clients, away, subs int64
	for _, s := range g.m.sessions {
		if s.conn != nil {
			clients++
		} else {
			away++
		}
		subs += int64(len(s.subs))
	}
	c := g.b.Counters()
	for _, x := range []struct {
		name      string
		got, want int64
	}{
		{"clients", c.Clients.Load(), clients}, {"sessions away", c.Offline.Load(), away}, {"subscriptions", c.Subscriptions.Load(), subs},
		{"sessions", c.Sessions.Load(), clients + away},
	} {
		if x.got != x.want {
			g.fail(fmt.Errorf("%d %s, want %d", x.got, x.name, x.want))
		}
	}
}

// An owed is an acknowledgement that a client has to send.
type owed struct {
	id   uint16
	kind packet.Type
}

func (g *game) acknowledge(l *link, list []owed, fail bool) {
	for _, o := range list {
		switch o.kind {
		case packet.TypePuback:
			l.write(&packet.Puback{ID: o.id})
			g.m.puback(l.ref, o.id)
		case packet.TypePubrec:
			p := &packet.Pubrec{ID: o.id}
			if fail && l.version == mqtt.V5 {
				p.Reason = mqtt.QuotaExceeded
			}
			l.write(p)
			g.m.pubrec(l.ref, o.id, p.Reason.Failed())
		case packet.TypePubcomp:
			l.write(&packet.Pubcomp{ID: o.id})
			g.m.pubcomp(l.ref, o.id)
		case packet.TypePubrel:
			l.write(&packet.Pubrel{ID: o.id})
			g.m.pubrel(l.ref, o.id)
		}
	}
	l.flush()
}

// A link is a client's end of a connection.
type link struct {
	g       *game
	conn    net.Conn
	version mqtt.Version
	client  int
	ref     *refConn // nil: no client at all
	auto    bool
	fresh   bool
	gone    bool // closed by the client
	bytes   []byte
	owed    []owed
	named   map[uint16]string // aliases that the client uses
	known   map[uint16]string // aliases that the broker uses

	mu    sync.Mutex
	in    []byte
	ended bool
}

// dial opens a connection that somebody reads all the time.
func (g *game) dial(v mqtt.Version) *link {
	ours, theirs := net.Pipe()
	l := &link{g: g, conn: ours, version: v, fresh: true, named: make(map[uint16]string), known: make(map[uint16]string)}
	g.pipes.conns <- theirs
	g.links = append(g.links, l)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := ours.Read(buf)
			l.mu.Lock()
			l.in = append(l.in, buf[:n]...)
			l.ended = err != nil
			l.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return l
}

func (l *link) write(p packet.Packet) {
	b, err := p.Append(l.bytes, l.version)
	if err != nil {
		l.g.fail(fmt.Errorf("the test cannot say %s: %w", refSay(p, l.version), err))
	}
	l.bytes = b
}

func (l *link) put(p packet.Packet) {
	l.write(p)
	l.flush()
}

// flush sends what was written, in one piece.
func (l *link) flush() {
	if len(l.bytes) == 0 {
		return
	}
	if l.ref != nil {
		l.ref.seen = l.g.m.now
	}
	l.conn.Write(l.bytes) // one that is ending takes nothing
	l.bytes = nil
}

// read takes the packets that came.
func (l *link) read() (list []packet.Packet, ended bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.in) > 0 {
		h, err := packet.ParseHeader(l.in)
		if err != nil || len(l.in) < h.Size+h.Remaining {
			return list, l.ended, fmt.Errorf("% x is no packet: %v", l.in, err)
		}
		p, err := packet.Decode(h, l.in[h.Size:h.Size+h.Remaining], l.version)
		if err != nil {
			return list, l.ended, fmt.Errorf("% x: %w", l.in, err)
		}
		if err := l.name(p); err != nil {
			return list, l.ended, err
		}
		list = append(list, p)
		l.in = slices.Clone(l.in[h.Size+h.Remaining:])
	}
	return list, l.ended, nil
}

// name puts a topic in the place of its alias.
func (l *link) name(p packet.Packet) error {
	pub, ok := p.(*packet.Publish)
	if !ok || pub.Properties == nil || pub.Properties.TopicAlias == nil {
		return nil
	}
	alias := *pub.Properties.TopicAlias
	pub.Properties.TopicAlias = nil
	if len(pub.Topic) > 0 {
		l.known[alias] = string(pub.Topic)
		return nil
	}
	if pub.Topic = []byte(l.known[alias]); len(pub.Topic) == 0 {
		return fmt.Errorf("the topic alias %d names nothing", alias)
	}
	return nil
}

// owe notes what a packet is to be answered with.
func (l *link) owe(p packet.Packet) {
	switch p := p.(type) {
	case *packet.Publish:
		switch p.QoS {
		case 1:
			l.owed = append(l.owed, owed{p.ID, packet.TypePuback})
		case 2:
			l.owed = append(l.owed, owed{p.ID, packet.TypePubrec})
		}
	case *packet.Pubrel:
		if p.Reason == 0 {
			l.owed = append(l.owed, owed{p.ID, packet.TypePubcomp})
		}
	case *packet.Pubrec:
		if !p.Reason.Failed() && l.auto {
			l.owed = append(l.owed, owed{p.ID, packet.TypePubrel})
		}
	}
}

// doors are Rules that deny some topics and hold Connected against Closed.
type doors struct {
	broker.OpenRules
	mu     sync.Mutex
	there  map[string]*broker.Client
	closed []string
	wrong  error
}

func (d *doors) Connect(_ context.Context, c *packet.Connect, _ broker.Origin) (*broker.Grant, error) {
	return &broker.Grant{MaxQoS: mqtt.ExactlyOnce, KeepSubscriptions: keepsSubscriptions(c.ClientID)}, nil
}

func (d *doors) Subscribe(_ *broker.Client, s packet.Subscription) mqtt.ReasonCode {
	if topic, _ := refShared(s.Filter); strings.HasPrefix(topic, "deny") {
		return mqtt.NotAuthorized
	}
	return mqtt.ReasonCode(s.QoS)
}

func (d *doors) Publish(_ *broker.Client, p *packet.Publish) broker.Decision {
	if strings.HasPrefix(string(p.Topic), "deny") {
		return broker.Decision{Reason: mqtt.NotAuthorized}
	}
	return broker.Decision{}
}

func (d *doors) Connected(c *broker.Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.there[c.Session()] != nil {
		d.wrong = fmt.Errorf("%s is connected twice", c.Session())
	}
	d.there[c.Session()] = c
}

func (d *doors) Closed(c *broker.Client, why broker.Cause) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.there[c.Session()] != c {
		d.wrong = fmt.Errorf("%s was not connected and is closed", c.Session())
	}
	delete(d.there, c.Session())
	d.closed = append(d.closed, c.Session()+" "+why.String())
}

// compare holds the ends that Rules were told of against those of the reference.
func (d *doors) compare(want []string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	got := d.closed
	d.closed = nil
	slices.Sort(got)
	slices.Sort(want)
	if d.wrong == nil && !slices.Equal(got, want) {
		return fmt.Errorf("Rules were told that %q ended, want %q", got, want)
	}
	return d.wrong
}
