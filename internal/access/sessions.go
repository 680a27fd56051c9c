package access

import (
	"bytes"
	"context"
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

// SignIn begins a session. addr is the address the attempt comes from, without
// its port: failures are counted by it. A wrong name or password is
// fault.Unauthorized, too many of them fault.Exhausted; a disabled operator with
// the right password is fault.Forbidden.
func (a *Access) SignIn(ctx context.Context, name, password, addr string) (Session, error) {
	o, err := a.verify(ctx, name, password, addr)
	if err != nil {
		return Session{}, err
	}
	s, err := a.begin(ctx, o)
	if err != nil {
		a.log.Warn("sign-in refused", "operator", name, "from", addr, "error", err)
		return Session{}, err
	}
	a.log.Info("signed in", "operator", name, "from", addr)
	return s, nil
}

// begin makes a session of who was verified. Verifying takes a while, in which
// the operator may have been given another password or none of a right any more.
func (a *Access) begin(ctx context.Context, verified Operator) (Session, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, err := a.store.Operator(ctx, verified.Name)
	switch {
	case fault.KindOf(err) == fault.KindNotFound, err == nil && !bytes.Equal(o.PasswordHash, verified.PasswordHash):
		return Session{}, errWrong
	case err != nil:
		return Session{}, err
	case o.Disabled:
		return Session{}, fault.Forbidden("%s is disabled: an administrator can enable the account again", o.Name)
	}
	now := a.now().UTC()
	s := Session{Token: sessionPrefix + randomText(secretBytes), Role: o.Role, Expires: now.Add(SessionLife)}
	return s, a.store.CreateSession(ctx, KeptSession{hashOf(s.Token), o.Name, s.Expires}, now, MaxSessions)
}

// SignOut ends a session; one that is gone is no error.
func (a *Access) SignOut(ctx context.Context, bearer string) error {
	if err := a.store.DeleteSession(ctx, hashOf(bearer)); err != nil {
		return err
	}
	a.less.tell()
	return nil
}

// SignOutEverywhere ends all sessions of an operator and returns how many they
// were. His access tokens stay.
func (a *Access) SignOutEverywhere(ctx context.Context, name string) (int, error) {
	n, err := a.store.DeleteSessions(ctx, name)
	if err != nil {
		return 0, err
	}
	a.less.tell()
	a.log.Info("signed out everywhere", "operator", name, "sessions", n)
	return n, nil
}

var errEnded = fault.Unauthorized("the session has ended: sign in again")

func (a *Access) session(ctx context.Context, bearer string) (Principal, error) {
	s, err := a.store.SessionByHash(ctx, hashOf(bearer))
	if fault.KindOf(err) == fault.KindNotFound || err == nil && !a.now().Before(s.Expires) {
		return Principal{}, errEnded
	}
	if err != nil {
		return Principal{}, err
	}
	// The role may have changed since.
	o, err := a.store.Operator(ctx, s.Name)
	if fault.KindOf(err) == fault.KindNotFound || err == nil && o.Disabled {
		return Principal{}, errEnded
	}
	if err != nil {
		return Principal{}, err
	}
	return Principal{Name: o.Name, Role: o.Role, Operator: true}, nil
}
