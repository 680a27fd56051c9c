package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/fault"
)

const (
	tokenPrefix  = "mt_"
	secretBytes  = 32
	maxTokenName = 100 // characters
	touchEvery   = time.Minute
)

// CreateToken makes an access token of the house itself, one that no operator
// owns and that does not expire.
func (a *Access) CreateToken(ctx context.Context, role Role, name string) (token string, err error) {
	_, token, err = a.IssueToken(ctx, Token{Name: name, Role: role})
	return token, err
}

// IssueToken makes an access token with the Name, Role, Owner and ExpiresAt of
// t and returns it complete, with the token itself, which nobody can read
// again. A token never does more than its owner may.
func (a *Access) IssueToken(ctx context.Context, t Token) (Token, string, error) {
	if n := utf8.RuneCountInString(t.Name); n == 0 || n > maxTokenName {
		return Token{}, "", fault.In("name", fault.Invalid("name the token in 1 to %d characters, so that people know whose it is", maxTokenName))
	}
	if err := t.Role.Check(); err != nil {
		return Token{}, "", err
	}
	if !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(a.now()) {
		return Token{}, "", fault.In("expiresAt", fault.Invalid("the token would have expired at once"))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	have, err := a.store.AccessTokens(ctx)
	if err != nil {
		return Token{}, "", err
	}
	if len(have) >= MaxTokens {
		return Token{}, "", fault.Exhausted("there are %d access tokens, the most there may be: delete some", len(have))
	}
	secret := tokenPrefix + randomText(secretBytes)
	t.ID, t.Hash, t.CreatedAt, t.LastUsed = randomText(9), hashOf(secret), a.now().UTC(), time.Time{}
	if err := a.store.CreateAccessToken(ctx, t); err != nil {
		return Token{}, "", err
	}
	a.log.Info("access token made", "token", t.ID, "name", t.Name, "role", string(t.Role))
	return t, secret, nil
}

// Tokens lists the tokens of one owner, or with "" all of them, oldest first.
func (a *Access) Tokens(ctx context.Context, owner string) ([]Token, error) {
	all, err := a.store.AccessTokens(ctx)
	if err != nil || owner == "" {
		return all, err
	}
	own := all[:0]
	for _, t := range all {
		if t.Owner == owner {
			own = append(own, t)
		}
	}
	return own, nil
}

// DeleteToken deletes a token; with an owner only one of his.
func (a *Access) DeleteToken(ctx context.Context, id, owner string) error {
	own, err := a.Tokens(ctx, owner)
	if err != nil {
		return err
	}
	for _, t := range own {
		if t.ID == id {
			defer a.less.tell()
			return a.store.DeleteAccessToken(ctx, id)
		}
	}
	return fault.NotFound("there is no access token %q", id)
}

// token finds out whose access token it is.
func (a *Access) token(ctx context.Context, bearer string) (Principal, error) {
	t, err := a.store.AccessTokenByHash(ctx, hashOf(bearer))
	if fault.KindOf(err) == fault.KindNotFound {
		return Principal{}, fault.Unauthorized("there is no such access token")
	}
	if err != nil {
		return Principal{}, err
	}
	now := a.now()
	if !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) {
		return Principal{}, fault.Unauthorized("the access token %q expired on %s", t.Name, t.ExpiresAt.UTC().Format(time.DateOnly))
	}
	p := Principal{Name: t.Name, Role: t.Role}
	if t.Owner != "" {
		o, err := a.store.Operator(ctx, t.Owner)
		if fault.KindOf(err) == fault.KindNotFound || err == nil && o.Disabled {
			return Principal{}, fault.Unauthorized("the access token %q belongs to %s, who is disabled", t.Name, t.Owner)
		}
		if err != nil {
			return Principal{}, err
		}
		p = Principal{Name: o.Name, Role: t.Role.atMost(o.Role), Operator: true}
	}
	if now.Sub(t.LastUsed) >= touchEvery {
		if err := a.store.TouchAccessToken(ctx, t.ID, now.UTC()); err != nil {
			a.log.Warn("note the use of an access token", "token", t.ID, "error", err)
		}
	}
	return p, nil
}

// hasForm keeps what cannot be a token of ours from being looked up.
func hasForm(bearer, prefix string) bool {
	text, ok := strings.CutPrefix(bearer, prefix)
	return ok && len(text) == base64.RawURLEncoding.EncodedLen(secretBytes)
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// randomText is n random bytes as base64url.
func randomText(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails [crypto/rand]
	return base64.RawURLEncoding.EncodeToString(b)
}
