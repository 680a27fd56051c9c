package httpapi

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/fault"
)

type signInInput struct {
	Body struct {
		Name     string `json:"name" maxLength:"256"`
		Password string `json:"password" maxLength:"1024"`
		Cookie   bool   `json:"cookie,omitempty" doc:"For pages: the token goes into a cookie that scripts cannot read, not into the answer"`
	}
	foreign bool // another site made a browser send it
}

// Resolve notes where the request comes from: nobody signs a visitor in as
// somebody else.
func (in *signInInput) Resolve(ctx huma.Context) []error {
	r, _ := request(ctx)
	in.foreign = foreign.Check(r) != nil
	return nil
}

// A session is the proof of having signed in.
type session struct {
	Token   string      `json:"token,omitempty" doc:"Absent where it went into a cookie"`
	Role    access.Role `json:"role"`
	Expires time.Time   `json:"expires"`
}

// signedIn is the answer to a sign-in.
type signedIn struct {
	Cookie string `header:"Set-Cookie"`
	Body   session
}

func (a *api) signIn(ctx context.Context, in *signInInput) (*signedIn, error) {
	c := who(ctx)
	if in.Body.Cookie && in.foreign {
		return nil, fault.Forbidden("this request comes from another site: only the console may sign in for a session of its own")
	}
	if o, err := a.Access.Operator(ctx, in.Body.Name); err == nil { // another name may be a password in the wrong field
		auditWho(ctx, caller{Principal: access.Principal{Name: o.Name, Role: o.Role, Operator: true}})
	}
	s, err := a.Access.SignIn(ctx, in.Body.Name, in.Body.Password, c.addr)
	if err != nil {
		return nil, err
	}
	out := &signedIn{Body: session{s.Token, s.Role, s.Expires}}
	if in.Body.Cookie {
		out.Body.Token = ""
		out.Cookie = sessionCookie(s.Token, s.Expires, c.secure)
	}
	return out, nil
}

// signedOut is the answer to a sign-out.
type signedOut struct {
	Cookie string `header:"Set-Cookie"`
}

func (a *api) signOut(ctx context.Context, _ *none) (*signedOut, error) {
	c := who(ctx)
	if err := a.Access.SignOut(ctx, c.token); err != nil {
		return nil, err
	}
	if !c.cookie {
		return &signedOut{}, nil
	}
	return &signedOut{sessionCookie("", time.Unix(1, 0), c.secure)}, nil
}

// signedOutEverywhere is the answer to a sign-out of all sessions.
type signedOutEverywhere struct {
	Cookie string `header:"Set-Cookie"`
	Body   endedCount
}

// An endedCount tells how many.
type endedCount struct {
	Ended int `json:"ended" doc:"Sessions that ended"`
}

func (a *api) signOutEverywhere(ctx context.Context, _ *none) (*signedOutEverywhere, error) {
	c := who(ctx)
	if !c.Operator {
		return nil, fault.Forbidden("%s is a token without an operator: it has no sessions", c.Name)
	}
	n, err := a.Access.SignOutEverywhere(ctx, c.Name)
	if err != nil {
		return nil, err
	}
	out := &signedOutEverywhere{Body: endedCount{n}}
	if c.cookie {
		out.Cookie = sessionCookie("", time.Unix(1, 0), c.secure)
	}
	return out, nil
}

// me is who somebody is.
type me struct {
	Name     string      `json:"name"`
	Role     access.Role `json:"role"`
	Operator bool        `json:"operator" doc:"A person, not a program with a token of the house"`
}

func (a *api) me(ctx context.Context, _ *none) (me, error) {
	c := who(ctx)
	return me{c.Name, c.Role, c.Operator}, nil
}

type changePasswordInput struct {
	Body struct {
		Old string `json:"old" maxLength:"1024"`
		New string `json:"new" maxLength:"1024"`
	}
}

func (a *api) changeMyPassword(ctx context.Context, in *changePasswordInput) error {
	c := who(ctx)
	if !c.Operator {
		return fault.Forbidden("%s is a token without an operator: name the operator, PATCH /operators/{name}", c.Name)
	}
	return a.Access.ChangePassword(ctx, c.Name, in.Body.Old, in.Body.New, c.addr)
}

// An operator is one without anything secret.
type operator struct {
	Name      string      `json:"name"`
	Role      access.Role `json:"role"`
	Chosen    bool        `json:"passwordChosen" doc:"false: the password was generated and should be changed"`
	Enabled   bool        `json:"enabled" doc:"false: neither his password nor his tokens let him in"`
	CreatedAt time.Time   `json:"createdAt"`
	UpdatedAt time.Time   `json:"updatedAt"`
}

func viewOperator(o access.Operator) operator {
	return operator{o.Name, o.Role, o.Chosen, !o.Disabled, o.CreatedAt, o.UpdatedAt}
}

func (a *api) listOperators(ctx context.Context, _ *none) (list[operator], error) {
	found, err := a.Access.Operators(ctx)
	items := make([]operator, len(found))
	for i, o := range found {
		items[i] = viewOperator(o)
	}
	return page(items, ""), err
}

type createOperatorInput struct {
	Body struct {
		Name     string      `json:"name"`
		Role     access.Role `json:"role" enum:"administrator,operator,viewer"`
		Password string      `json:"password"`
	}
}

func (a *api) createOperator(ctx context.Context, in *createOperatorInput) (operator, error) {
	o, err := a.Access.CreateOperator(ctx, in.Body.Name, in.Body.Role, in.Body.Password)
	return viewOperator(o), err
}

// An OperatorPath names an operator.
type OperatorPath struct {
	Name string `path:"name"`
}

type changeOperatorInput struct {
	OperatorPath
	Body struct {
		Role     access.Role `json:"role,omitempty" enum:"administrator,operator,viewer"`
		Password string      `json:"password,omitempty"`
		Enabled  *bool       `json:"enabled,omitempty" doc:"false ends his sessions, and his tokens work no longer; true lets him in again, tokens and all. Not oneself, and not the last administrator"`
	}
}

func (a *api) changeOperator(ctx context.Context, in *changeOperatorInput) (operator, error) {
	if in.Body.Password == "" && in.Body.Role == "" && in.Body.Enabled == nil {
		return operator{}, fault.Invalid("say what to change: role, password or enabled")
	}
	change := access.Change{Role: in.Body.Role, Password: in.Body.Password}
	if in.Body.Enabled != nil {
		disabled := !*in.Body.Enabled
		change.Disabled = &disabled
	}
	if c := who(ctx); c.Operator {
		change.By = c.Name
	}
	o, err := a.Access.ChangeOperator(ctx, in.Name, change)
	return viewOperator(o), err
}

func (a *api) deleteOperator(ctx context.Context, in *OperatorPath) error {
	return a.Access.DeleteOperator(ctx, in.Name)
}

// A token is an access token; the secret itself is there only once.
type token struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Role      access.Role `json:"role"`
	Owner     string      `json:"owner,omitempty"`
	Token     string      `json:"token,omitempty" doc:"Shown once, when it is made"`
	CreatedAt time.Time   `json:"createdAt"`
	ExpiresAt time.Time   `json:"expiresAt,omitzero"`
	LastUsed  time.Time   `json:"lastUsed,omitzero"`
}

func viewToken(t access.Token, secret string) token {
	return token{t.ID, t.Name, t.Role, t.Owner, secret, t.CreatedAt, t.ExpiresAt, t.LastUsed}
}

// owner is whose tokens a caller sees: administrators see all.
func owner(ctx context.Context) string {
	if c := who(ctx); c.Role != access.Administrator {
		return c.Name
	}
	return ""
}

func (a *api) listTokens(ctx context.Context, _ *none) (list[token], error) {
	if c := who(ctx); !c.Operator && c.Role != access.Administrator {
		return list[token]{}, fault.Forbidden("a token of the house owns no tokens")
	}
	found, err := a.Access.Tokens(ctx, owner(ctx))
	items := make([]token, len(found))
	for i, t := range found {
		items[i] = viewToken(t, "")
	}
	return page(items, ""), err
}

type createTokenInput struct {
	Body struct {
		Name      string      `json:"name" minLength:"1" maxLength:"256" doc:"What it is for"`
		Role      access.Role `json:"role" enum:"administrator,operator,viewer" doc:"Not above one's own"`
		ExpiresIn string      `json:"expiresIn,omitempty" doc:"Such as 720h; left out it never expires"`
	}
}

func (a *api) createToken(ctx context.Context, in *createTokenInput) (token, error) {
	c := who(ctx)
	if !c.Role.Includes(in.Body.Role) {
		return token{}, fault.In("role", fault.Forbidden("a token's role cannot be above your own, %s", c.Role))
	}
	t := access.Token{Name: in.Body.Name, Role: in.Body.Role}
	if c.Operator {
		t.Owner = c.Name
	} else if c.Role != access.Administrator {
		return token{}, fault.Forbidden("a token of the house makes no tokens")
	}
	if in.Body.ExpiresIn != "" {
		d, err := time.ParseDuration(in.Body.ExpiresIn)
		if err != nil || d <= 0 {
			return token{}, fault.In("expiresIn", fault.Invalid("%q is no length of time: write for instance 720h", in.Body.ExpiresIn))
		}
		t.ExpiresAt = time.Now().Add(d)
	}
	t, secret, err := a.Access.IssueToken(ctx, t)
	return viewToken(t, secret), err
}

type tokenPath struct {
	ID string `path:"id"`
}

func (a *api) deleteToken(ctx context.Context, in *tokenPath) error {
	if c := who(ctx); !c.Operator && c.Role != access.Administrator {
		return fault.Forbidden("a token of the house deletes no tokens")
	}
	return a.Access.DeleteToken(ctx, in.ID, owner(ctx))
}
