package access

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"github.com/matou-iot/matou/internal/fault"
)

// The bounds of a password. bcrypt reads no more than MaxPassword bytes.
const (
	MinPassword = 8  // characters
	MaxPassword = 72 // bytes
)

// hash checks a new password and hashes it. field is its JSON name.
func (a *Access) hash(ctx context.Context, field, password string) ([]byte, error) {
	if utf8.RuneCountInString(password) < MinPassword {
		return nil, fault.In(field, fault.Invalid("a password has at least %d characters", MinPassword))
	}
	if len(password) > MaxPassword {
		return nil, fault.In(field, fault.Invalid("a password has at most %d bytes", MaxPassword))
	}
	var hash []byte
	err := a.work(ctx, func() (err error) {
		hash, err = bcrypt.GenerateFromPassword([]byte(password), a.hashCost)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// work runs fn when one of the hashers is free.
func (a *Access) work(ctx context.Context, fn func() error) error {
	select {
	case a.hashing <- struct{}{}:
		defer func() { <-a.hashing }()
		return fn()
	case <-ctx.Done():
		return fault.Unavailable("too many passwords are being checked: %w", ctx.Err())
	}
}

// hashOfNobody is what the passwords of unknown operators are compared with, so
// that the time an answer takes tells nobody who exists.
func hashOfNobody(cost int) []byte {
	hash, err := bcrypt.GenerateFromPassword([]byte(randomText(32)), cost)
	if err != nil {
		panic("access: " + err.Error()) // 43 bytes are a password
	}
	return hash
}

// errWrong does not say what of the two it is.
var errWrong = fault.Unauthorized("name or password is not right")

// verify finds the operator who has this name and password. What is wrong of
// the two is not said. Failures are counted by name and address.
func (a *Access) verify(ctx context.Context, name, password, addr string) (Operator, error) {
	if err := a.failures.attempt(name, addr, a.now()); err != nil {
		return Operator{}, err
	}
	o, err := a.store.Operator(ctx, name)
	hash, known := o.PasswordHash, err == nil
	switch {
	case fault.KindOf(err) == fault.KindNotFound:
		hash = a.nobody()
	case err != nil:
		return Operator{}, err
	}
	err = a.work(ctx, func() error { return bcrypt.CompareHashAndPassword(hash, []byte(password)) })
	if err == nil && known {
		a.failures.forgive(name, addr, a.now())
		return o, nil
	}
	if fault.KindOf(err) == fault.KindUnavailable {
		return Operator{}, err
	}
	if err != nil && !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return Operator{}, fmt.Errorf("compare the password of %s: %w", name, err)
	}
	a.log.Warn("sign-in refused", "operator", name, "from", addr)
	return Operator{}, errWrong
}
