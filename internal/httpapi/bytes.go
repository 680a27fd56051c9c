package httpapi

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/fault"
)

// BytesBody is what a device is sent as it is.
type BytesBody struct {
	Text   string `json:"text,omitempty" doc:"The bytes, where they are text"`
	Base64 string `json:"base64,omitempty" doc:"The bytes in Base64, where they are not"`
}

// bytes decodes what stands in the body; nothing is no byte at all.
func (b *BytesBody) bytes() ([]byte, error) {
	switch {
	case b.Text != "" && b.Base64 != "":
		return nil, fault.In("base64", fault.Invalid("give text or base64, not both"))
	case b.Base64 == "":
		return []byte(b.Text), nil
	}
	raw, err := base64.StdEncoding.DecodeString(b.Base64)
	if err != nil {
		return nil, fault.In("base64", fault.Invalid("this is no Base64: %v", err))
	}
	return raw, nil
}

type getPropertiesInput struct {
	DevicePath
	Body struct {
		Properties []string `json:"properties" doc:"Which ones"`
		Wait       string   `json:"wait,omitempty" doc:"How long to wait for the device's answer, such as 5s; at most 1m"`
	}
}

// getProperties asks the device itself, where latestValues tells what it
// reported last.
func (a *api) getProperties(ctx context.Context, in *getPropertiesInput) (order, error) {
	patience, err := wait(in.Body.Wait)
	if err != nil {
		return order{}, err
	}
	c, err := a.Commands.Get(ctx, in.id(), in.Body.Properties, command.Order{Wait: patience})
	return viewCommand(c), err
}

type sendCommandInput struct {
	DevicePath
	Body struct {
		BytesBody
		Wait    string `json:"wait,omitempty" doc:"How long to wait for the device's answer, such as 10s; at most 1m"`
		Timeout string `json:"timeout,omitempty" doc:"How long an answer counts, 5s to 30s; left out, 30s"`
	}
}

func (a *api) sendCommand(ctx context.Context, in *sendCommandInput) (order, error) {
	payload, err := in.Body.bytes()
	if err != nil {
		return order{}, err
	}
	patience, err := wait(in.Body.Wait)
	if err != nil {
		return order{}, err
	}
	o := command.Order{Wait: patience}
	if in.Body.Timeout != "" {
		if o.Timeout, err = time.ParseDuration(in.Body.Timeout); err != nil || o.Timeout <= 0 {
			return order{}, fault.In("timeout", fault.Invalid("%q is no length of time: write for instance 10s", in.Body.Timeout))
		}
	}
	c, err := a.Commands.Command(ctx, in.id(), payload, o)
	return viewCommand(c), err
}

type sendRawInput struct {
	DevicePath
	Body struct {
		BytesBody
		Wait string `json:"wait,omitempty" doc:"How long to wait for the device's answer, such as 5s; at most 1m"`
	}
}

func (a *api) sendRaw(ctx context.Context, in *sendRawInput) (order, error) {
	payload, err := in.Body.bytes()
	if err != nil {
		return order{}, err
	}
	patience, err := wait(in.Body.Wait)
	if err != nil {
		return order{}, err
	}
	c, err := a.Commands.Raw(ctx, in.id(), payload, command.Order{Wait: patience})
	return viewCommand(c), err
}
