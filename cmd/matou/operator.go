package main

import (
	"io"
	"time"
)

type operatorCmd struct {
	List    operatorListCmd    `cmd:"" help:"List the people who may sign in."`
	Add     operatorAddCmd     `cmd:"" help:"Let a person sign in."`
	Set     operatorSetCmd     `cmd:"" help:"Give a person another role."`
	Disable operatorDisableCmd `cmd:"" help:"Let a person in no longer, tokens included."`
	Enable  operatorEnableCmd  `cmd:"" help:"Let a person in again, tokens included."`
	Remove  operatorRemoveCmd  `cmd:"" help:"Delete a person with all tokens."`
}

// An operator is a person who signs in, as the API shows one.
type operator struct {
	Name           string    `json:"name"`
	Role           string    `json:"role"`
	Enabled        bool      `json:"enabled"`
	PasswordChosen bool      `json:"passwordChosen"`
	CreatedAt      time.Time `json:"createdAt"`
	UpdatedAt      time.Time `json:"updatedAt"`
}

func (o *operator) state() string {
	if !o.Enabled {
		return "disabled"
	}
	if !o.PasswordChosen {
		return "password generated"
	}
	return "enabled"
}

func (o *operator) print(w io.Writer) {
	fields(w, "name", o.Name, "role", o.Role, "state", o.state(), "made", seconds(o.CreatedAt), "changed", seconds(o.UpdatedAt))
}

type operatorListCmd struct {
	limitFlags
	apiFlags
}

func (*operatorListCmd) Help() string {
	return `Examples:
  matou operator list
  matou operator list --json`
}

func (c *operatorListCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(at("operators"), nil, c.Limit)
	if err != nil {
		return err
	}
	return printPage(g, r, p, "no operators", []string{"NAME", "ROLE", "STATE", "MADE", "CHANGED"}, func(o *operator) []string {
		return []string{o.Name, o.Role, o.state(), seconds(o.CreatedAt), seconds(o.UpdatedAt)}
	})
}

type operatorAddCmd struct {
	Name segment `arg:"" help:"Name to sign in with."`
	Role string  `enum:"administrator,operator,viewer" default:"operator" help:"What the person may do: administrator, operator or viewer."`
	apiFlags
}

func (*operatorAddCmd) Help() string {
	return `Asks for the password on the terminal; where there is none, it is a line of
standard input.

Examples:
  matou operator add mei --role viewer
  printf '%s\n' "$PASSWORD" | matou operator add mei`
}

func (c *operatorAddCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	password, err := newSecrets(g).chosen("password of " + string(c.Name))
	if err != nil {
		return err
	}
	return printOne[operator](g, r, "POST", at("operators"), nil, map[string]string{"name": string(c.Name), "role": c.Role, "password": password})
}

type operatorSetCmd struct {
	Name segment `arg:"" help:"Name of the operator."`
	Role string  `required:"" enum:"administrator,operator,viewer" help:"What the person may do: administrator, operator or viewer."`
	apiFlags
}

func (*operatorSetCmd) Help() string {
	return `matou password gives another password.

Examples:
  matou operator set mei --role administrator`
}

func (c *operatorSetCmd) Run(g *globals) error {
	return c.change(g, c.Name, map[string]string{"role": c.Role})
}

type operatorDisableCmd struct {
	Name segment `arg:"" help:"Name of the operator."`
	apiFlags
}

func (*operatorDisableCmd) Help() string {
	return `Sessions end at once, and access tokens are refused until the person is enabled
again. The last administrator cannot be disabled.

Examples:
  matou operator disable mei`
}

func (c *operatorDisableCmd) Run(g *globals) error {
	return c.change(g, c.Name, map[string]bool{"enabled": false})
}

type operatorEnableCmd struct {
	Name segment `arg:"" help:"Name of the operator."`
	apiFlags
}

func (*operatorEnableCmd) Help() string {
	return `Examples:
  matou operator enable mei`
}

func (c *operatorEnableCmd) Run(g *globals) error {
	return c.change(g, c.Name, map[string]bool{"enabled": true})
}

func (f *apiFlags) change(g *globals, name segment, change any) error {
	r, err := f.open(g)
	if err != nil {
		return err
	}
	return printOne[operator](g, r, "PATCH", at("operators", string(name)), nil, change)
}

type operatorRemoveCmd struct {
	Name segment `arg:"" help:"Name of the operator."`
	yesFlag
	apiFlags
}

func (*operatorRemoveCmd) Help() string {
	return `Examples:
  matou operator remove mei
  matou operator remove mei --yes`
}

func (c *operatorRemoveCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	what := "Delete the operator " + string(c.Name) + " and all tokens of that person"
	return r.remove(g, c.yesFlag, what, at("operators", string(c.Name)), nil, removed{Operator: string(c.Name)})
}
