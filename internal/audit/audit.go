// Package audit is the log of who changed what through the API, and who was
// refused. It is bounded: changes push out the oldest changes, refusals the
// oldest refusals, so that no flood of refused requests hides a change.
//
// An entry names what was touched, never what was written: no body and no
// secret gets here. What asks for an entry is the API's affair.
package audit

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// An Entry is one request that changed something, or was not let.
type Entry struct {
	ID       int64     `json:"id"`
	At       time.Time `json:"at"`
	Who      string    `json:"who,omitempty" doc:"The operator or the token; of a refused sign-in the operator whose name was tried; absent where nobody is known"`
	Role     string    `json:"role,omitempty"`
	Person   bool      `json:"person" doc:"An operator, not a token of the house"`
	From     string    `json:"from" doc:"The address, without its port"`
	Method   string    `json:"method"`
	Route    string    `json:"route" doc:"As the list of routes has it"`
	Object   string    `json:"object" doc:"The path that was asked for"`
	Subject  string    `json:"subject,omitempty" doc:"The name of what was made or changed, and which of its members were"`
	Done     bool      `json:"done" doc:"false: refused or failed"`
	Code     string    `json:"code,omitempty" doc:"Why not, for machines"`
	Detail   string    `json:"detail,omitempty" doc:"Why not, for people"`
	DetailZH string    `json:"detailZh,omitempty" doc:"The same in Chinese"`
}

// A Query chooses entries, the newest first.
type Query struct {
	Who      string
	Object   string // begins with
	From, To time.Time
	Done     *bool // nil: both
	Before   int64 // an ID; 0: the newest
	Limit    int
}

// A Store keeps entries and decides nothing. Implementations are in
// internal/store and pass storetest.Audit.
type Store interface {
	// AppendAudit numbers an entry and keeps it; durable where it was done.
	AppendAudit(ctx context.Context, e Entry) error
	// PruneAudit leaves the newest entries that were done, or were not.
	PruneAudit(ctx context.Context, done bool, keep int) error
	AuditEntries(ctx context.Context, q Query) ([]Entry, error)
}

// The bounds.
const (
	MaxChanges  = 200_000
	MaxRefusals = 20_000
	MaxLimit    = 1000
	usualLimit  = 100

	maxText    = 512 // bytes of one text of an entry
	pruneEvery = 200 // entries

	// maxRefused is how many refusals are kept of a minute; the rest are counted.
	maxRefused = 300
)

// Options are what a Log needs.
type Options struct {
	Store Store
	Log   *slog.Logger     // nil: discard
	Now   func() time.Time // nil: time.Now
}

// A Log is the audit log. Any number of goroutines may use it at once. A nil
// Log keeps nothing.
type Log struct {
	Options

	mu      sync.Mutex
	added   map[bool]int // since the last pruning, by whether they were done
	minute  time.Time
	refused int // of minute
}

// New makes a Log.
func New(o Options) *Log {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Log{Options: o, added: map[bool]int{}}
}

// Add keeps an entry; its time and number are set here. The change has
// happened, so a failure to keep it is logged and stops nobody.
func (l *Log) Add(ctx context.Context, e Entry) {
	if l == nil {
		return
	}
	ctx = context.WithoutCancel(ctx) // whoever asked may have gone
	e.At = l.Now().UTC()
	for _, s := range []*string{&e.Who, &e.Role, &e.From, &e.Method, &e.Route, &e.Object, &e.Subject, &e.Code, &e.Detail, &e.DetailZH} {
		*s = bounded(*s)
	}
	missed, keep, prune := l.count(e.Done, e.At)
	if missed > 0 {
		l.append(ctx, Entry{At: e.At, Code: "not_kept", Detail: plural(missed), DetailZH: "一分钟内另有 " + strconv.Itoa(missed) + " 次拒绝"})
	}
	if !keep {
		return
	}
	l.append(ctx, e)
	if prune {
		most := MaxRefusals
		if e.Done {
			most = MaxChanges
		}
		if err := l.Store.PruneAudit(ctx, e.Done, most); err != nil {
			l.Log.Error("prune the audit log", "error", err)
		}
	}
}

func (l *Log) append(ctx context.Context, e Entry) {
	if err := l.Store.AppendAudit(ctx, e); err != nil {
		l.Log.Error("an entry of the audit log is lost", "who", e.Who, "method", e.Method, "object", e.Object, "error", err)
	}
}

// count says whether to keep an entry, how many refusals of a past minute were
// not kept, and whether it is time to prune.
func (l *Log) count(done bool, now time.Time) (missed int, keep, prune bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !done {
		if now.Sub(l.minute) >= time.Minute {
			missed = max(0, l.refused-maxRefused)
			l.minute, l.refused = now, 0
		}
		if l.refused++; l.refused > maxRefused {
			return missed, false, false
		}
	}
	l.added[done]++
	prune = l.added[done]%pruneEvery == 0
	return missed, true, prune
}

// Entries lists entries, and the ID from which to go on; 0 at the end.
func (l *Log) Entries(ctx context.Context, q Query) ([]Entry, int64, error) {
	if l == nil {
		return nil, 0, nil
	}
	if q.Limit <= 0 {
		q.Limit = usualLimit
	}
	want := min(q.Limit, MaxLimit)
	q.Limit = want + 1
	found, err := l.Store.AuditEntries(ctx, q)
	if err != nil || len(found) <= want {
		return found, 0, err
	}
	return found[:want], found[want-1].ID, nil
}

// bounded cuts what strangers may have made long, and not inside a character.
func bounded(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

func plural(n int) string {
	if n == 1 {
		return "one more refusal in a minute"
	}
	return strconv.Itoa(n) + " more refusals in a minute"
}
