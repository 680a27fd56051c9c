package trace

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestTimelineNewestFirstInPages(t *testing.T) {
	r := New(0)
	for i := range 5 {
		r.Record(Entry{Product: "p", Device: "d", Kind: Uplink, Topic: fmt.Sprint("t", i)})
	}
	first, next := r.Timeline("p", "d", Query{Limit: 3})
	if len(first) != 3 || first[0].Topic != "t4" || first[2].Topic != "t2" {
		t.Fatalf("first page %v", topics(first))
	}
	second, end := r.Timeline("p", "d", Query{Limit: 3, Before: next})
	if len(second) != 2 || second[0].Topic != "t1" || end != 0 {
		t.Fatalf("second page %v, next %d", topics(second), end)
	}
	if e, ok := r.Entry("p", "d", second[1].ID); !ok || e.Topic != "t0" {
		t.Errorf("entry by id: %v %v", e.Topic, ok)
	}
}

func TestTimelineOfOneDeviceIsBounded(t *testing.T) {
	r := New(0)
	for i := range 3 * MaxEntries {
		r.Record(Entry{Product: "p", Device: "d", Kind: Note, Topic: fmt.Sprint(i)})
	}
	all, _ := r.Timeline("p", "d", Query{Limit: 10 * MaxEntries})
	if len(all) != MaxEntries || all[0].Topic != fmt.Sprint(3*MaxEntries-1) {
		t.Errorf("%d entries, newest %s", len(all), all[0].Topic)
	}
}

func TestMemoryIsBoundedWhateverTheDevicesDo(t *testing.T) {
	const budget = 1 << 20
	r := New(budget)
	payload := bytes.Repeat([]byte("x"), 100<<10)
	for i := range 20000 {
		r.Record(Entry{Product: "p", Device: fmt.Sprint(i), Kind: Uplink, Payload: payload})
	}
	held := 0
	for i := range r.shard {
		held += r.shard[i].bytes
	}
	if held > budget {
		t.Errorf("%d bytes held, budget %d", held, budget)
	}
	if last, _ := r.Timeline("p", "19999", Query{}); len(last) != 1 || len(last[0].Payload) != MaxPayload || last[0].Size != len(payload) {
		t.Errorf("the newest device is not there as it should: %d entries", len(last))
	}
}

func TestKindsFilter(t *testing.T) {
	r := New(0)
	r.Record(Entry{Product: "p", Device: "d", Kind: Uplink})
	r.Record(Entry{Product: "p", Device: "d", Kind: Refuse})
	got, _ := r.Timeline("p", "d", Query{Kinds: []Kind{Refuse}})
	if len(got) != 1 || got[0].Kind != Refuse {
		t.Errorf("got %d entries", len(got))
	}
}

func TestWatcherWhoDoesNotReadLosesTheOldest(t *testing.T) {
	r := New(0)
	ctx, cancel := context.WithCancel(t.Context())
	ch := r.Watch(ctx, "p", "d")
	for i := range watchQueue + 10 {
		r.Record(Entry{Product: "p", Device: "d", Kind: Uplink, Topic: fmt.Sprint(i)})
	}
	r.Record(Entry{Product: "p", Device: "other", Kind: Uplink})
	cancel()
	var got []Entry
	for e := range ch {
		got = append(got, e)
	}
	if len(got) != watchQueue || got[len(got)-1].Topic != fmt.Sprint(watchQueue+9) {
		t.Errorf("%d entries, last %v", len(got), got[len(got)-1].Topic)
	}
}

func TestKindIsAWordInJSON(t *testing.T) {
	b, err := json.Marshal(Entry{Kind: Refuse})
	if err != nil || !bytes.Contains(b, []byte(`"kind":"refuse"`)) {
		t.Fatalf("%s %v", b, err)
	}
	var e Entry
	if err := json.Unmarshal(b, &e); err != nil || e.Kind != Refuse {
		t.Errorf("%v %v", e.Kind, err)
	}
	if err := new(Kind).UnmarshalText([]byte("gossip")); err == nil {
		t.Error("an unknown kind was read")
	}
}

func topics(es []Entry) (s []string) {
	for _, e := range es {
		s = append(s, e.Topic)
	}
	return s
}

func TestEntryComesBackAsItWentIn(t *testing.T) {
	in := Entry{
		Parent: 7, At: time.Unix(0, 1234567890123456789), Product: "p", Device: "d", Kind: Fault, Direction: "down", Topic: "a/温度",
		QoS: 2, Size: 9000, Payload: []byte{0, 1, 0xff}, Packet: []byte{0x10}, Code: "c", Sentence: "s", SentenceZH: "句",
		Detail: map[string]int{"n": 1},
	}
	r := New(0)
	ctx, cancel := context.WithCancel(t.Context())
	watch := r.Watch(ctx, "p", "d")
	in.ID = r.Record(in)
	cancel()
	in.Detail = json.RawMessage(`{"n":1}`)
	read, ok := r.Entry("p", "d", in.ID)
	if !ok || !reflect.DeepEqual(read, in) {
		t.Errorf("read %+v", read)
	}
	if watched := <-watch; !reflect.DeepEqual(watched, in) {
		t.Errorf("watched %+v", watched)
	}
}

func TestLongTextsAreCut(t *testing.T) {
	r := New(0)
	long := strings.Repeat("温", MaxText)
	id := r.Record(Entry{Product: "p", Device: "d", Kind: Note, Sentence: long, Detail: long})
	e, _ := r.Entry("p", "d", id)
	if len(e.Sentence) > MaxText || len(e.Sentence) < MaxText-3 || !utf8.ValidString(e.Sentence) || e.Detail != nil {
		t.Errorf("%d bytes of sentence, detail %.20v", len(e.Sentence), e.Detail)
	}
}

// TestTimelineThroughManySizes wraps the buffer with entries of all lengths.
func TestTimelineThroughManySizes(t *testing.T) {
	r := New(0)
	for i := range 5 * MaxEntries {
		r.Record(Entry{Product: "p", Device: "d", Kind: Note, QoS: i, Payload: bytes.Repeat([]byte{byte(i)}, i*7919%MaxPayload)})
		all, _ := r.Timeline("p", "d", Query{Limit: MaxEntries + 1})
		if len(all) != min(i+1, MaxEntries) {
			t.Fatalf("%d entries after %d", len(all), i+1)
		}
		for n, e := range all {
			k := i - n
			if e.QoS != k || len(e.Payload) != k*7919%MaxPayload || len(e.Payload) > 0 && e.Payload[len(e.Payload)-1] != byte(k) {
				t.Fatalf("entry %d of %d is another", k, i)
			}
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	r := New(0)
	e := Entry{At: time.Now(), Product: "p", Kind: Uplink, Direction: "up", Topic: "/sys/p/d000000/thing/event/property/post", Payload: make([]byte, 120)}
	devices := make([]string, 500)
	for i := range devices {
		devices[i] = fmt.Sprintf("d%06d", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		e.Device = devices[i%len(devices)]
		r.Record(e)
	}
}

// TestMessagesOfAFloodAreCounted: what a device says beyond PlainRate with
// nothing to tell of it is counted by the next entry; what has a fault is
// there, and to who watches all is.
func TestMessagesOfAFloodAreCounted(t *testing.T) {
	r := New(0)
	now := time.Unix(1_800_000_000, 0)
	flood := func(n int) {
		for range n {
			r.Record(Entry{At: now, Product: "p", Device: "d", Kind: Uplink, Topic: "t"})
		}
	}
	flood(PlainRate + 30)
	r.Record(Entry{At: now, Product: "p", Device: "d", Kind: Fault, Code: "c"})
	r.Record(Entry{At: now, Product: "p", Device: "d", Kind: Uplink, Code: "value-out-of-range"})
	now = now.Add(time.Second)
	flood(1)
	all, _ := r.Timeline("p", "d", Query{Limit: MaxEntries})
	if len(all) != PlainRate+3 || all[2].Skipped != 30 || all[1].Skipped != 0 || all[0].Skipped != 0 {
		t.Fatalf("%d entries, newest %+v", len(all), all[:3])
	}
	ctx, cancel := context.WithCancel(t.Context())
	ch := r.Watch(ctx, "p", "d")
	now = now.Add(time.Second)
	flood(PlainRate + 30)
	cancel()
	n := 0
	for range ch {
		n++
	}
	if n != PlainRate+30 {
		t.Errorf("a watcher saw %d of %d", n, PlainRate+30)
	}
}
