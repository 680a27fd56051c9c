package access_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/store/storetest"
)

func TestFakeIsAStore(t *testing.T) {
	storetest.Access(t, func(*testing.T) access.Store { return newFake() })
}

// A fake is a Store in memory.
type fake struct {
	mu        sync.Mutex
	read      func(name string) // nil, or what happens once an operator was read
	operators map[string]access.Operator
	tokens    map[string]access.Token
	sessions  map[string]access.KeptSession // by hash
}

func newFake() *fake {
	return &fake{operators: map[string]access.Operator{}, tokens: map[string]access.Token{}, sessions: map[string]access.KeptSession{}}
}

func (f *fake) Operators(context.Context) ([]access.Operator, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.SortedFunc(maps.Values(f.operators), func(a, b access.Operator) int { return strings.Compare(a.Name, b.Name) }), nil
}

func (f *fake) Operator(_ context.Context, name string) (access.Operator, error) {
	if f.read != nil {
		defer func() { f.read(name) }()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	o, ok := f.operators[name]
	if !ok {
		return o, fault.NotFound("no operator %q", name)
	}
	return o, nil
}

func (f *fake) CreateOperator(_ context.Context, o access.Operator) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.operators[o.Name]; ok {
		return fault.Conflict("operator %q exists", o.Name)
	}
	f.operators[o.Name] = o
	return nil
}

func (f *fake) UpdateOperator(ctx context.Context, o access.Operator) error {
	if _, err := f.Operator(ctx, o.Name); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.operators[o.Name] = o
	return nil
}

func (f *fake) DeleteOperator(ctx context.Context, name string) error {
	if _, err := f.Operator(ctx, name); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.operators, name)
	maps.DeleteFunc(f.tokens, func(_ string, t access.Token) bool { return t.Owner == name })
	maps.DeleteFunc(f.sessions, func(_ string, s access.KeptSession) bool { return s.Name == name })
	return nil
}

func (f *fake) AccessTokens(context.Context) ([]access.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.SortedFunc(maps.Values(f.tokens), func(a, b access.Token) int { return a.CreatedAt.Compare(b.CreatedAt) }), nil
}

func (f *fake) AccessTokenByHash(_ context.Context, hash []byte) (access.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.tokens {
		if bytes.Equal(t.Hash, hash) {
			return t, nil
		}
	}
	return access.Token{}, fault.NotFound("no such token")
}

func (f *fake) CreateAccessToken(_ context.Context, t access.Token) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokens[t.ID] = t
	return nil
}

func (f *fake) DeleteAccessToken(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.tokens[id]; !ok {
		return fault.NotFound("no such token")
	}
	delete(f.tokens, id)
	return nil
}

func (f *fake) TouchAccessToken(_ context.Context, id string, at time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t, ok := f.tokens[id]; ok {
		t.LastUsed = at
		f.tokens[id] = t
	}
	return nil
}

func (f *fake) SessionByHash(_ context.Context, hash []byte) (access.KeptSession, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.sessions[string(hash)]
	if !ok {
		return s, fault.NotFound("no such session")
	}
	return s, nil
}

func (f *fake) CreateSession(_ context.Context, s access.KeptSession, now time.Time, most int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.sessions, func(_ string, s access.KeptSession) bool { return !now.Before(s.Expires) })
	last := slices.SortedFunc(maps.Values(f.sessions), func(a, b access.KeptSession) int { return b.Expires.Compare(a.Expires) })
	for _, s := range last[min(most-1, len(last)):] {
		delete(f.sessions, string(s.Hash))
	}
	f.sessions[string(s.Hash)] = s
	return nil
}

func (f *fake) DeleteSession(_ context.Context, hash []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.sessions, string(hash))
	return nil
}

func (f *fake) DeleteSessions(_ context.Context, operator string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := len(f.sessions)
	maps.DeleteFunc(f.sessions, func(_ string, s access.KeptSession) bool { return s.Name == operator })
	return before - len(f.sessions), nil
}
