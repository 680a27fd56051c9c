package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/matou-iot/matou/internal/wording"
)

type passwordCmd struct {
	Name  segment `arg:"" optional:"" default:"admin" help:"Name of the operator."`
	Reset bool    `help:"Do not ask for the old password; needs an administrator's token, such as the one in the data directory."`
	apiFlags
}

func (*passwordCmd) Help() string {
	return `Asks for the old and the new password on the terminal; where there is none, each
is a line of standard input. Signs all sessions of the operator out.

Examples:
  matou password
  matou password mei --server https://iot.example.com
  matou password --reset
  printf '%s\n' "$OLD" "$NEW" | matou password admin`
}

func (c *passwordCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	change := c.change
	if c.Reset {
		change = c.reset
	}
	if err := change(r, newSecrets(g)); err != nil {
		return err
	}
	result := struct {
		Name    string `json:"name"`
		Changed bool   `json:"changed"`
	}{string(c.Name), true}
	return g.emit(result, func(w io.Writer) { fmt.Fprintf(w, "%s has the new password\n", c.Name) })
}

// change signs in with the old password: the operator does it, whoever's token
// there is.
func (c *passwordCmd) change(r *rest, ask *secrets) error {
	old, err := ask.next("old password of " + string(c.Name))
	if err != nil {
		return err
	}
	mine := *r
	mine.token = ""
	var session struct {
		Token string `json:"token"`
	}
	signIn := map[string]string{"name": string(c.Name), "password": old}
	if err := mine.call("POST", at("session"), nil, signIn, &session); err != nil {
		if e, ok := errors.AsType[*rejection](err); ok && e.Status == http.StatusUnauthorized {
			e.hint = wording.Errorf("Who forgot it says --reset, on the machine that Matou runs on")
		}
		return err
	}
	mine.token = session.Token
	chosen, err := ask.chosen("new password")
	if err == nil {
		err = mine.call("PUT", at("me", "password"), nil, map[string]string{"old": old, "new": chosen}, nil)
	}
	if err != nil {
		mine.call("DELETE", at("session"), nil, nil, nil) // or it expires by itself
	}
	return err
}

func (c *passwordCmd) reset(r *rest, ask *secrets) error {
	chosen, err := ask.chosen("new password of " + string(c.Name))
	if err != nil {
		return err
	}
	return r.call("PATCH", at("operators", string(c.Name)), nil, map[string]string{"password": chosen}, nil)
}
