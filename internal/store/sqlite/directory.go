package sqlite

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/matou-iot/matou/internal/registry"
)

// A directory is what lists of devices are narrowed by and counted from, in
// memory: some 170 bytes a device. With it every filter, and any of them
// together, costs the same few milliseconds among a hundred thousand devices,
// and a count costs nothing; with indices in SQL each combination would need
// one of its own, and a text none could serve. The rows themselves stay in the
// database; the directory says which to fetch.
//
// The file is this process's own, so nobody else changes them. Whoever writes
// does it in DB.write, and tells the directory before the next one may. It is
// read from the tables while the program starts already: who asks waits for it,
// devices that connect do not.
type directory struct {
	loading sync.WaitGroup
	cancel  context.CancelFunc // of loading
	ready   chan struct{}      // closed when it is read, or cannot be
	failed  error              // why it cannot be; to be read behind ready

	mu      sync.RWMutex
	keys    []string // of products with devices, in order
	shelves map[string]*shelf

	laterMu sync.Mutex
	later   []func() // changes since loading began, nil when it has ended
	loaded  bool
}

// A shelf has the devices of one product, and what they come to.
type shelf struct {
	cards   []*card // in order of their names
	tally   tally
	batches map[string]*tally
}

// A tally is how many devices there are, and of which kinds.
type tally struct {
	devices, disabled, registered, activated int
	states                                   [registry.Disabled + 1]int
}

// A card is a device as far as lists ask.
type card struct {
	name  string
	text  string // in which people search: name and nickname in small letters
	tags  string // see tagText
	batch string
	state registry.State // of its presence
	marks mark
}

type mark byte

const (
	enabled mark = 1 << iota
	registered
	activated
)

func newDirectory() *directory {
	return &directory{shelves: make(map[string]*shelf), ready: make(chan struct{}), cancel: func() {}}
}

func newCard(d *registry.Device) *card {
	c := &card{name: d.Name}
	c.describe(d)
	return c
}

// describe takes over what people may change of a device.
func (c *card) describe(d *registry.Device) {
	c.text, c.tags, c.batch = searchText(c.name, d.Nickname), tagText(d.Tags), d.Batch
	c.set(enabled, d.Enabled)
}

func (c *card) set(m mark, on bool) {
	c.marks &^= m
	if on {
		c.marks |= m
	}
}

func (c *card) has(m mark) bool { return c.marks&m != 0 }

// shown is what registry.Registry.Status says of the device.
func (c *card) shown() registry.State {
	if !c.has(enabled) {
		return registry.Disabled
	}
	return c.state
}

// searchText has nothing of its own where the name alone will do.
func searchText(name, nickname string) string {
	name = strings.ToLower(name)
	if nickname == "" {
		return name
	}
	return name + "\x00" + strings.ToLower(nickname)
}

// plain keeps tags from looking like what stands between them.
var plain = strings.NewReplacer("\x00", "\uFFFD", "\x01", "\uFFFD")

// tagText is tags in one string, each behind a zero and closed by one, so that
// tagPart of one tag, or of its name alone, is a part of it.
func tagText(tags map[string]string) string {
	if len(tags) == 0 {
		return ""
	}
	var b strings.Builder
	for name, value := range tags {
		b.WriteString("\x00" + plain.Replace(name) + "\x01" + plain.Replace(value))
	}
	b.WriteByte(0)
	return b.String()
}

// tagPart is what to look for in a tagText: "name" or "name=value".
func tagPart(tag string) string {
	name, value, both := strings.Cut(tag, "=")
	part := "\x00" + plain.Replace(name) + "\x01"
	if both {
		part += plain.Replace(value) + "\x00"
	}
	return part
}

// add counts a card n times more.
func (t *tally) add(c *card, n int) {
	t.devices += n
	t.states[c.shown()] += n
	for _, k := range []struct {
		of *int
		is bool
	}{{&t.disabled, !c.has(enabled)}, {&t.registered, c.has(registered)}, {&t.activated, c.has(activated)}} {
		if k.is {
			*k.of += n
		}
	}
}

// count counts a card n times more, in its batch, too.
func (s *shelf) count(c *card, n int) {
	s.tally.add(c, n)
	if c.batch == "" {
		return
	}
	b := s.batches[c.batch]
	if b == nil {
		b = &tally{}
		s.batches[c.batch] = b
	}
	if b.add(c, n); b.devices == 0 {
		delete(s.batches, c.batch)
	}
}

func byName(c *card, name string) int { return strings.Compare(c.name, name) }

func (s *shelf) find(name string) *card {
	if i, there := slices.BinarySearchFunc(s.cards, name, byName); there {
		return s.cards[i]
	}
	return nil
}

// activated reports whether a device is marked so; known is false while the
// directory is being read, and where it cannot be.
func (d *directory) activated(id registry.ID) (is, known bool) {
	select {
	case <-d.ready:
	default:
		return false, false
	}
	if d.failed != nil {
		return false, false
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if s := d.shelves[id.Product]; s != nil {
		if c := s.find(id.Device); c != nil {
			return c.has(activated), true
		}
	}
	return false, true
}

// insert adds devices that are not there yet.
func (d *directory) insert(list []registry.Device) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fresh := make(map[string][]*card)
	for i := range list {
		fresh[list[i].Product] = append(fresh[list[i].Product], newCard(&list[i]))
	}
	for product, cards := range fresh {
		s := d.shelf(product)
		for _, c := range cards {
			s.count(c, 1)
		}
		if len(cards) == 1 { // the usual case takes no sorting
			i, _ := slices.BinarySearchFunc(s.cards, cards[0].name, byName)
			s.cards = slices.Insert(s.cards, i, cards[0])
			continue
		}
		s.cards = append(s.cards, cards...)
		slices.SortFunc(s.cards, func(a, b *card) int { return cmp.Compare(a.name, b.name) })
	}
}

func (d *directory) shelf(product string) *shelf {
	s := d.shelves[product]
	if s == nil {
		s = &shelf{batches: make(map[string]*tally)}
		d.shelves[product] = s
		i, _ := slices.BinarySearch(d.keys, product)
		d.keys = slices.Insert(d.keys, i, product)
	}
	return s
}

// change lets f change the card of a device that is there.
func (d *directory) change(id registry.ID, f func(*card)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changeLocked(id, f)
}

func (d *directory) changeLocked(id registry.ID, f func(*card)) {
	s := d.shelves[id.Product]
	if s == nil {
		return
	}
	if c := s.find(id.Device); c != nil {
		s.count(c, -1)
		f(c)
		s.count(c, 1)
	}
}

// changeAll is change for many.
func (d *directory) changeAll(ids []registry.ID, f func(i int, c *card)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, id := range ids {
		d.changeLocked(id, func(c *card) { f(i, c) })
	}
}

// each lets f change all cards.
func (d *directory) each(f func(*card)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.shelves {
		for _, c := range s.cards {
			s.count(c, -1)
			f(c)
			s.count(c, 1)
		}
	}
}

// remove forgets devices.
func (d *directory) remove(ids []registry.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	gone := make(map[*shelf]map[string]bool)
	for _, id := range ids {
		s := d.shelves[id.Product]
		if s == nil {
			continue
		}
		if i, there := slices.BinarySearchFunc(s.cards, id.Device, byName); there && len(ids) == 1 {
			s.count(s.cards[i], -1)
			s.cards = slices.Delete(s.cards, i, i+1)
		} else if there {
			if gone[s] == nil {
				gone[s] = make(map[string]bool)
			}
			gone[s][id.Device] = true
		}
	}
	for s, names := range gone {
		s.cards = slices.DeleteFunc(s.cards, func(c *card) bool {
			if names[c.name] {
				s.count(c, -1)
			}
			return names[c.name]
		})
	}
}

// removeProduct forgets the devices of a product.
func (d *directory) removeProduct(product string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.shelves, product)
	if i, there := slices.BinarySearch(d.keys, product); there {
		d.keys = slices.Delete(d.keys, i, i+1)
	}
}

// matcher returns what a query asks of a card beside product and place.
func matcher(q *registry.DeviceQuery) func(*card) bool {
	text, tag := strings.ToLower(q.Text), ""
	if q.Tag != "" {
		tag = tagPart(q.Tag)
	}
	return func(c *card) bool {
		return (q.State == nil || c.shown() == *q.State) && (q.Batch == "" || c.batch == q.Batch) &&
			strings.Contains(c.text, text) && strings.Contains(c.tags, tag)
	}
}

// search returns the first devices that a query asks for, in order.
func (d *directory) search(ctx context.Context, q registry.DeviceQuery, limit int) (ids []registry.ID, err error) {
	if err := d.wait(ctx); err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	matches := matcher(&q)
	after, name, _ := strings.Cut(q.After, "/")
	for _, product := range d.keys {
		if product < after || q.Product != "" && product != q.Product {
			continue
		}
		cards := d.shelves[product].cards
		if product == after && q.After != "" {
			i, there := slices.BinarySearchFunc(cards, name, byName)
			if there {
				i++
			}
			cards = cards[i:]
		}
		for _, c := range cards {
			if len(ids) == limit {
				return ids, nil
			}
			if matches(c) {
				ids = append(ids, registry.ID{Product: product, Device: c.name})
			}
		}
	}
	return ids, nil
}

// count counts the devices that a query asks for, wherever it begins. A query
// that asks for no more than a product, a state or a batch is not searched for.
func (d *directory) count(ctx context.Context, q registry.DeviceQuery) (n int, err error) {
	if err := d.wait(ctx); err != nil {
		return 0, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	matches := matcher(&q)
	for product, s := range d.shelves {
		if q.Product != "" && product != q.Product {
			continue
		}
		of := &s.tally
		if q.Batch != "" {
			if of = s.batches[q.Batch]; of == nil {
				continue
			}
		}
		switch {
		case q.Text != "" || q.Tag != "":
			for _, c := range s.cards {
				if matches(c) {
					n++
				}
			}
		case q.State != nil:
			n += of.states[*q.State]
		default:
			n += of.devices
		}
	}
	return n, nil
}

// states are the devices of all products by the word for their state.
func (d *directory) states(ctx context.Context) (map[string]int, error) {
	if err := d.wait(ctx); err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	all := make(map[string]int)
	for _, s := range d.shelves {
		for state, n := range s.tally.states {
			if n > 0 {
				all[registry.State(state).String()] += n
			}
		}
	}
	return all, nil
}

// tags are those that devices have, of one product or of all, and how many
// devices have each.
func (d *directory) tags(ctx context.Context, product string, limit int) ([]registry.TagCount, error) {
	if err := d.wait(ctx); err != nil {
		return nil, err
	}
	used := make(map[string]int)
	d.mu.RLock()
	for key, s := range d.shelves {
		if product != "" && key != product {
			continue
		}
		for _, c := range s.cards {
			for tag := range strings.SplitSeq(strings.Trim(c.tags, "\x00"), "\x00") {
				used[tag]++
			}
		}
	}
	d.mu.RUnlock()
	delete(used, "") // of those without tags
	all := make([]registry.TagCount, 0, len(used))
	for tag, n := range used {
		name, value, _ := strings.Cut(tag, "\x01")
		all = append(all, registry.TagCount{Name: name, Value: value, Devices: n})
	}
	registry.SortTagCounts(all)
	return all[:min(limit, len(all))], nil
}

// batch is what a batch comes to.
func (d *directory) batch(ctx context.Context, product, name string) (tally, error) {
	if err := d.wait(ctx); err != nil {
		return tally{}, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if s := d.shelves[product]; s != nil && s.batches[name] != nil {
		return *s.batches[name], nil
	}
	return tally{}, nil
}
