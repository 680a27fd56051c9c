package access

import (
	"context"
	"regexp"

	"github.com/matou-iot/matou/internal/fault"
)

// FirstAdministrator is the name of the operator of the first start.
const FirstAdministrator = "admin"

var operatorName = regexp.MustCompile(`^[\pL\pN][\pL\pN._@-]{0,63}$`)

// EnsureAdministrator makes the first administrator where there is no
// operator yet. With an empty password it generates one and returns it, to be
// shown once; with operators there it does nothing and returns "".
func (a *Access) EnsureAdministrator(ctx context.Context, password string) (generated string, err error) {
	have, err := a.store.Operators(ctx)
	if err != nil || len(have) > 0 {
		return "", err
	}
	chosen := password != ""
	if !chosen {
		password = randomText(12)
		generated = password
	}
	_, err = a.create(ctx, FirstAdministrator, Administrator, password, chosen)
	if err != nil {
		return "", err
	}
	return generated, nil
}

// PasswordChosen reports whether every administrator has a password that
// somebody chose. Where that cannot be read it is false.
func (a *Access) PasswordChosen(ctx context.Context) bool {
	have, err := a.store.Operators(ctx)
	if err != nil {
		a.log.Error("read the operators", "error", err)
		return false
	}
	for _, o := range have {
		if o.Role == Administrator && !o.Chosen {
			return false
		}
	}
	return len(have) > 0
}

// Operators lists all operators by name.
func (a *Access) Operators(ctx context.Context) ([]Operator, error) { return a.store.Operators(ctx) }

// Operator finds one.
func (a *Access) Operator(ctx context.Context, name string) (Operator, error) {
	return a.store.Operator(ctx, name)
}

// CreateOperator makes an operator with a password that somebody chose.
func (a *Access) CreateOperator(ctx context.Context, name string, role Role, password string) (Operator, error) {
	return a.create(ctx, name, role, password, true)
}

func (a *Access) create(ctx context.Context, name string, role Role, password string, chosen bool) (Operator, error) {
	if !operatorName.MatchString(name) {
		return Operator{}, fault.In("name", fault.Invalid("name %q: begin with a letter or digit; up to 64 letters, digits and . _ @ -", name))
	}
	if err := role.Check(); err != nil {
		return Operator{}, err
	}
	hash, err := a.hash(ctx, "password", password)
	if err != nil {
		return Operator{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	have, err := a.store.Operators(ctx)
	if err != nil {
		return Operator{}, err
	}
	if len(have) >= MaxOperators {
		return Operator{}, fault.Exhausted("there are %d operators, the most there may be", len(have))
	}
	now := a.now().UTC()
	o := Operator{Name: name, Role: role, PasswordHash: hash, Chosen: chosen, CreatedAt: now, UpdatedAt: now}
	return o, fault.In("name", a.store.CreateOperator(ctx, o))
}

// A Change is what an operator gets another of; "" leaves it.
type Change struct {
	Role     Role
	Password string
}

// ChangeOperator gives an operator another role, another password, or both or
// neither of them. The last administrator keeps his role; another password ends
// the operator's sessions.
func (a *Access) ChangeOperator(ctx context.Context, name string, c Change) (Operator, error) {
	if c.Role != "" {
		if err := c.Role.Check(); err != nil {
			return Operator{}, err
		}
	}
	var hash []byte
	if c.Password != "" {
		var err error
		if hash, err = a.hash(ctx, "password", c.Password); err != nil {
			return Operator{}, err
		}
	}
	return a.replace(ctx, name, c.Role, hash)
}

// ChangePassword is another password by the operator himself, who must know
// the old one. addr is where he is, as SignIn needs it.
func (a *Access) ChangePassword(ctx context.Context, name, old, password, addr string) error {
	if _, err := a.verify(ctx, name, old, addr); err != nil {
		if fault.KindOf(err) == fault.KindUnauthorized {
			return fault.In("old", fault.Invalid("the old password is not right"))
		}
		return err
	}
	hash, err := a.hash(ctx, "new", password)
	if err != nil {
		return err
	}
	_, err = a.replace(ctx, name, "", hash)
	return err
}

// replace changes role and password where they are given.
func (a *Access) replace(ctx context.Context, name string, role Role, hash []byte) (Operator, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, err := a.store.Operator(ctx, name)
	if err != nil {
		return Operator{}, err
	}
	if role != "" {
		if o.Role == Administrator && role != Administrator {
			if err := a.othersAdminister(ctx, name); err != nil {
				return Operator{}, fault.In("role", err)
			}
		}
		o.Role = role
	}
	if hash != nil {
		o.PasswordHash, o.Chosen = hash, true
	}
	o.UpdatedAt = a.now().UTC()
	if err := a.store.UpdateOperator(ctx, o); err != nil {
		return Operator{}, err
	}
	if hash != nil {
		a.sessions.endAll(name)
		a.log.Info("password changed", "operator", name)
	}
	a.less.tell()
	return o, nil
}

// DeleteOperator deletes an operator, his tokens and sessions. The last
// administrator stays.
func (a *Access) DeleteOperator(ctx context.Context, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, err := a.store.Operator(ctx, name)
	if err != nil {
		return err
	}
	if o.Role == Administrator {
		if err := a.othersAdminister(ctx, name); err != nil {
			return err
		}
	}
	if err := a.store.DeleteOperator(ctx, name); err != nil {
		return err
	}
	a.sessions.endAll(name)
	a.less.tell()
	return nil
}

// othersAdminister says no where nobody but name is an administrator.
func (a *Access) othersAdminister(ctx context.Context, name string) error {
	have, err := a.store.Operators(ctx)
	if err != nil {
		return err
	}
	for _, o := range have {
		if o.Role == Administrator && o.Name != name {
			return nil
		}
	}
	return fault.Conflict("%s is the last administrator: make another one first", name)
}
