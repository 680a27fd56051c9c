package httpapi

import (
	"context"
	"errors"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/program"
	"github.com/matou-iot/matou/internal/registry"
)

type codeInput struct {
	CredentialsInput
	For string `query:"for" required:"true" enum:"at,at-mqtt,at-ec20,at-nt35e,c,arduino,stm32,micropython,python,node,go" doc:"What the program is for: AT commands of a module, C arrays, a board, a language"`
}

// deviceCode writes a program for the device with the first of its logins.
func (a *api) deviceCode(ctx context.Context, in *codeInput) (program.Source, error) {
	p, d, all, err := a.logins(ctx, &in.CredentialsInput)
	if err != nil {
		return program.Source{}, err
	}
	switch {
	case p.DataModel != registry.Thing:
		return program.Source{}, fault.Invalid("the devices of product %s report data streams; programs are written for thing models", p.Key)
	case d.Secret == "" && all[0].Password == "":
		return program.Source{}, fault.Invalid("device %s has no secret: it cannot log in", d.Name)
	}
	login := all[0]
	var authority []byte
	if in.TLS {
		authority, _ = a.authority() // where it is not known, the program says what belongs there
	}
	source, err := program.Write(in.For, program.Plan{
		Dialect: p.Dialect, Product: p.Key, Device: d.Name, Secret: d.Secret,
		ClientID: login.ClientID, Username: login.Username, Password: login.Password, Host: login.Host, Port: login.Port, TLS: in.TLS, Model: p.Model,
		Authority: string(authority),
	})
	if errors.Is(err, program.ErrTarget) {
		return program.Source{}, fault.In("for", fault.Invalid("%v", err))
	}
	if err != nil {
		return program.Source{}, fault.Invalid("%v", err)
	}
	return source, nil
}
