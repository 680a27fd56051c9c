package main

import (
	"fmt"
	"io"
	"time"
)

type tokenCmd struct {
	List   tokenListCmd   `cmd:"" help:"List access tokens."`
	Add    tokenAddCmd    `cmd:"" help:"Make an access token."`
	Remove tokenRemoveCmd `cmd:"" help:"Delete an access token."`
}

// A token lets a program in, as the API shows it.
type token struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	Owner     string    `json:"owner"`
	Token     string    `json:"token"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	LastUsed  time.Time `json:"lastUsed"`
}

func (t *token) expires() string {
	if t.ExpiresAt.IsZero() {
		return "never"
	}
	return seconds(t.ExpiresAt)
}

func (t *token) print(w io.Writer) {
	fields(w, "id", t.ID, "name", t.Name, "role", t.Role, "owner", t.Owner, "expires", t.expires(), "token", t.Token)
}

type tokenListCmd struct {
	limitFlags
	apiFlags
}

func (*tokenListCmd) Help() string {
	return `Lists one's own tokens; an administrator sees all.

Examples:
  matou token list
  matou token list --json`
}

func (c *tokenListCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(at("tokens"), nil, c.Limit)
	if err != nil {
		return err
	}
	header := []string{"ID", "ROLE", "OWNER", "MADE", "EXPIRES", "LAST USED", "NAME"}
	return printPage(g, r, p, "no tokens", header, func(t *token) []string {
		return []string{t.ID, t.Role, t.Owner, seconds(t.CreatedAt), t.expires(), seconds(t.LastUsed), t.Name}
	})
}

type tokenAddCmd struct {
	Name      string `arg:"" help:"What it is for."`
	Role      string `enum:"administrator,operator,viewer" default:"operator" help:"What it may do: administrator, operator or viewer."`
	ExpiresIn string `help:"How long it is good, such as 720h or 30d; left out, for ever." placeholder:"TIME"`
	apiFlags
}

func (*tokenAddCmd) Help() string {
	return `The token is shown this once.

Examples:
  matou token add "the dashboard" --role viewer
  matou token add CI --expires-in 30d --json`
}

func (c *tokenAddCmd) Run(g *globals) error {
	in := struct {
		Name      string `json:"name"`
		Role      string `json:"role"`
		ExpiresIn string `json:"expiresIn,omitempty"`
	}{Name: c.Name, Role: c.Role}
	if c.ExpiresIn != "" {
		d, err := longSpan(c.ExpiresIn)
		if err != nil {
			return usagef("--expires-in: %w", err)
		}
		in.ExpiresIn = d.String()
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	err = printOne[token](g, r, "POST", at("tokens"), nil, in)
	if err == nil && !g.JSON {
		fmt.Fprintln(g.Stderr, "nobody can read the token again: keep it now")
	}
	return err
}

type tokenRemoveCmd struct {
	ID segment `arg:"" name:"id" help:"Id of the token, as the list shows it."`
	yesFlag
	apiFlags
}

func (*tokenRemoveCmd) Help() string {
	return `An id that begins with - is written after --.

Examples:
  matou token remove 7Q2M
  matou token remove --yes -- -xQ2M`
}

func (c *tokenRemoveCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return r.remove(g, c.yesFlag, "Delete the access token "+string(c.ID), at("tokens", string(c.ID)), nil, removed{Token: string(c.ID)})
}
