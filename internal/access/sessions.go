package access

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/fault"
)

const sessionPrefix = "ms_"

// A Session is somebody who signed in.
type Session struct {
	Token   string // the bearer token, to be kept secret
	Role    Role
	Expires time.Time
}

// sessions are in memory: a restart signs everybody out.
type sessions struct {
	mu   sync.Mutex
	open map[[sha256.Size]byte]open
}

type open struct {
	name    string
	expires time.Time
}

// SignIn begins a session. addr is the address the attempt comes from, without
// its port: failures are counted by it. A wrong name or password is
// fault.Unauthorized, too many of them fault.Exhausted.
func (a *Access) SignIn(ctx context.Context, name, password, addr string) (Session, error) {
	o, err := a.verify(ctx, name, password, addr)
	if err != nil {
		return Session{}, err
	}
	s := Session{Token: sessionPrefix + randomText(secretBytes), Role: o.Role, Expires: a.now().Add(SessionLife).UTC()}
	a.sessions.add(s.Token, open{name, s.Expires}, a.now())
	a.log.Info("signed in", "operator", name, "from", addr)
	return s, nil
}

// SignOut ends a session; one that is gone is no error.
func (a *Access) SignOut(bearer string) {
	a.sessions.end(bearer)
	a.less.tell()
}

// SignOutEverywhere ends all sessions of an operator and returns how many they
// were. His access tokens stay.
func (a *Access) SignOutEverywhere(name string) int {
	n := a.sessions.endAll(name)
	a.less.tell()
	a.log.Info("signed out everywhere", "operator", name, "sessions", n)
	return n
}

func (a *Access) session(ctx context.Context, bearer string) (Principal, error) {
	s, ok := a.sessions.find(bearer, a.now())
	if !ok {
		return Principal{}, fault.Unauthorized("the session has ended: sign in again")
	}
	// The role may have changed since.
	o, err := a.store.Operator(ctx, s.name)
	if fault.KindOf(err) == fault.KindNotFound {
		return Principal{}, fault.Unauthorized("the session has ended: sign in again")
	}
	if err != nil {
		return Principal{}, err
	}
	return Principal{Name: o.Name, Role: o.Role, Operator: true}, nil
}

func (s *sessions) add(token string, o open, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = make(map[[sha256.Size]byte]open)
	}
	if len(s.open) >= MaxSessions {
		s.makeRoom(now)
	}
	s.open[sha256.Sum256([]byte(token))] = o
}

// makeRoom drops what has ended, and where nothing has, what ends first.
func (s *sessions) makeRoom(now time.Time) {
	var first [sha256.Size]byte
	var at time.Time
	for key, o := range s.open {
		if !now.Before(o.expires) {
			delete(s.open, key)
			continue
		}
		if at.IsZero() || o.expires.Before(at) {
			first, at = key, o.expires
		}
	}
	if len(s.open) >= MaxSessions {
		delete(s.open, first)
	}
}

func (s *sessions) find(token string, now time.Time) (open, bool) {
	key := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.open[key]
	if ok && !now.Before(o.expires) {
		delete(s.open, key)
		return open{}, false
	}
	return o, ok
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, sha256.Sum256([]byte(token)))
}

// endAll ends the sessions of one operator and counts them.
func (s *sessions) endAll(name string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, o := range s.open {
		if o.name == name {
			delete(s.open, key)
			n++
		}
	}
	return n
}
