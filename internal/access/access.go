// Package access is who may use the API: operators with passwords, access
// tokens for programs, and sign-in sessions. It holds the rules and declares
// the Store that keeps them; a restart signs nobody out.
//
// It judges who somebody is and what his role allows. Which route asks for
// which role is the API's affair.
package access

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/matou-iot/matou/internal/fault"
)

// An Operator is a person who signs in with a password.
type Operator struct {
	Name         string
	Role         Role
	PasswordHash []byte // bcrypt
	Chosen       bool   // somebody chose the password; false: it was generated
	Disabled     bool   // nothing lets him in, neither password nor token
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// A Token lets a program in. The token itself is shown once, when it is made;
// kept is its SHA-256.
type Token struct {
	ID        string // public, unique
	Name      string // for people
	Role      Role
	Owner     string // the operator who made it; "" for the house itself
	Hash      []byte // SHA-256 of the token
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	LastUsed  time.Time // to the minute; zero: never
}

// A KeptSession is what is kept of a Session: never its token.
type KeptSession struct {
	Hash    []byte // SHA-256 of the token
	Name    string // of the operator
	Expires time.Time
}

// A Principal is somebody who proved who he is.
type Principal struct {
	Name     string // of the operator, or of the token
	Role     Role
	Operator bool // a person, by password or by a token of his own
}

// A Store keeps operators, tokens and sessions and decides nothing.
// Implementations are in internal/store and pass storetest.Access. An unknown
// operator, token or session is fault.NotFound, a name that is taken
// fault.Conflict. What it has said that it did survives a crash.
type Store interface {
	Operators(ctx context.Context) ([]Operator, error) // by name
	Operator(ctx context.Context, name string) (Operator, error)
	CreateOperator(ctx context.Context, o Operator) error
	UpdateOperator(ctx context.Context, o Operator) error
	// DeleteOperator deletes his tokens and sessions, too.
	DeleteOperator(ctx context.Context, name string) error

	AccessTokens(ctx context.Context) ([]Token, error) // oldest first
	AccessTokenByHash(ctx context.Context, hash []byte) (Token, error)
	CreateAccessToken(ctx context.Context, t Token) error
	DeleteAccessToken(ctx context.Context, id string) error
	// TouchAccessToken sets LastUsed; a token that is gone is no error.
	TouchAccessToken(ctx context.Context, id string, at time.Time) error

	SessionByHash(ctx context.Context, hash []byte) (KeptSession, error)
	// CreateSession forgets sessions that have ended by now, then as many of
	// those that end first as leave most of them with the new one.
	CreateSession(ctx context.Context, s KeptSession, now time.Time, most int) error
	// DeleteSession ends a session; one that is gone is no error.
	DeleteSession(ctx context.Context, hash []byte) error
	// DeleteSessions ends all sessions of an operator and counts them.
	DeleteSessions(ctx context.Context, operator string) (int, error)
}

// The bounds.
const (
	MaxOperators = 1000
	MaxTokens    = 10_000
	MaxSessions  = 10_000         // above it the session that ends first is dropped
	SessionLife  = 12 * time.Hour // from signing in, used or not
)

// Options are what an Access needs.
type Options struct {
	Store Store
	Log   *slog.Logger     // nil: discard
	Now   func() time.Time // nil: time.Now
	// HashCost is how dear guessing a password is made, and checking one: one
	// more doubles it (bcrypt, 4 to 31). 0: 10. Lower is for tests.
	HashCost int
}

// An Access knows operators, tokens and sessions. Any number of goroutines may
// use it at once.
type Access struct {
	store    Store
	log      *slog.Logger
	now      func() time.Time
	hashCost int
	hashing  chan struct{} // as many passwords are hashed at once
	nobody   func() []byte // the hash of no one's password
	failures failures
	less     news // somebody may do less than before

	mu sync.Mutex // changes of operators, new sessions and the number of tokens, one at a time
}

// hashers is how many passwords are hashed at once: bcrypt takes a core for a
// while, and strangers may ask for it.
const hashers = 2

// New makes an Access.
func New(o Options) *Access {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.HashCost == 0 {
		o.HashCost = bcrypt.DefaultCost
	}
	return &Access{
		store: o.Store, log: o.Log, now: o.Now,
		hashCost: o.HashCost, hashing: make(chan struct{}, hashers), nobody: sync.OnceValue(func() []byte { return hashOfNobody(o.HashCost) }),
	}
}

// Authenticate tells whose bearer token this is: that of a session or an
// access token. Anything else is fault.Unauthorized.
func (a *Access) Authenticate(ctx context.Context, bearer string) (Principal, error) {
	switch {
	case hasForm(bearer, sessionPrefix):
		return a.session(ctx, bearer)
	case hasForm(bearer, tokenPrefix):
		return a.token(ctx, bearer)
	}
	return Principal{}, fault.Unauthorized("sign in, or send an access token as Authorization: Bearer mt_…")
}
