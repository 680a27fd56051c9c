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

// PasswordChosen reports whether every administrator who may sign in has a
// password that somebody chose. Where that cannot be read it is false.
func (a *Access) PasswordChosen(ctx context.Context) bool {
	have, err := a.store.Operators(ctx)
	if err != nil {
		a.log.Error("read the operators", "error", err)
		return false
	}
	for _, o := range have {
		if o.administers() && !o.Chosen {
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

// A Change is what an operator gets another of; "" and nil leave it.
type Change struct {
	Role     Role
	Password string
	Disabled *bool
	By       string // the operator who asks, "" for a program of the house
}

// ChangeOperator gives an operator another role, another password, lets him in
// or no longer, or all or none of it. The last administrator keeps his role and
// is not disabled, and nobody disables himself. Another password ends the
// operator's sessions, and so does disabling; his tokens work again when he is
// enabled.
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
	return a.replace(ctx, name, c, hash)
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
	_, err = a.replace(ctx, name, Change{}, hash)
	return err
}

// replace changes what is given, the password by its hash.
func (a *Access) replace(ctx context.Context, name string, c Change, hash []byte) (Operator, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, err := a.store.Operator(ctx, name)
	if err != nil {
		return Operator{}, err
	}
	was := o
	if c.Role != "" {
		o.Role = c.Role
	}
	if c.Disabled != nil {
		o.Disabled = *c.Disabled
	}
	if err := a.mayBecome(ctx, was, o, c.By); err != nil {
		return Operator{}, err
	}
	if hash != nil {
		o.PasswordHash, o.Chosen = hash, true
	}
	o.UpdatedAt = a.now().UTC()
	if hash != nil || o.Disabled {
		if _, err := a.store.DeleteSessions(ctx, name); err != nil {
			return Operator{}, err
		}
	}
	if err := a.store.UpdateOperator(ctx, o); err != nil {
		return Operator{}, err
	}
	if hash != nil {
		a.log.Info("password changed", "operator", name)
	}
	if o.Disabled != was.Disabled {
		a.log.Info("operator disabled or enabled", "operator", name, "disabled", o.Disabled, "by", c.By)
	}
	a.less.tell()
	return o, nil
}

// mayBecome says no to what would lock people out.
func (a *Access) mayBecome(ctx context.Context, was, o Operator, by string) error {
	if o.Disabled && !was.Disabled && o.Name == by {
		return fault.In("enabled", fault.Conflict("nobody disables himself: another administrator can"))
	}
	if !was.administers() || o.administers() {
		return nil
	}
	field := "role"
	if o.Disabled {
		field = "enabled"
	}
	return fault.In(field, a.othersAdminister(ctx, o.Name))
}

// administers reports whether he is an administrator who may sign in.
func (o Operator) administers() bool { return o.Role == Administrator && !o.Disabled }

// DeleteOperator deletes an operator, his tokens and sessions. The last
// administrator stays.
func (a *Access) DeleteOperator(ctx context.Context, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, err := a.store.Operator(ctx, name)
	if err != nil {
		return err
	}
	if o.administers() {
		if err := a.othersAdminister(ctx, name); err != nil {
			return err
		}
	}
	if err := a.store.DeleteOperator(ctx, name); err != nil {
		return err
	}
	a.less.tell()
	return nil
}

// othersAdminister says no where nobody but name is an administrator who may
// sign in.
func (a *Access) othersAdminister(ctx context.Context, name string) error {
	have, err := a.store.Operators(ctx)
	if err != nil {
		return err
	}
	for _, o := range have {
		if o.administers() && o.Name != name {
			return nil
		}
	}
	return fault.Conflict("%s is the last administrator: make another one first", name)
}
