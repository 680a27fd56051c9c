package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/thing"
)

// An order is a command as people see it.
type order struct {
	ID      string          `json:"id"`
	Kind    string          `json:"kind" doc:"set, invoke, get, command or raw"`
	Service string          `json:"service,omitempty"`
	State   string          `json:"state" doc:"queued, delivered, acknowledged, failed or timeout"`
	Code    int             `json:"code,omitempty" doc:"The device's, 200 for success"`
	Message string          `json:"message,omitempty"`
	Input   json.RawMessage `json:"input,omitempty"`
	Output  json.RawMessage `json:"output,omitempty"`
	Topic   string          `json:"topic,omitempty" doc:"Only in the answer to the one who gave the command"`
	Payload string          `json:"payload,omitempty" doc:"As the device gets it, likewise; in Base64 where it is no text"`
	SentAt  time.Time       `json:"sentAt"`
	DoneAt  time.Time       `json:"doneAt,omitzero"`
}

func viewCommand(c command.Command) order {
	return order{
		ID: c.ID, Kind: string(c.Kind), Service: c.Service, State: string(c.State), Code: c.Code, Message: c.Message,
		Input: rawJSON(c.Input), Output: rawJSON(c.Output), Topic: c.Topic, Payload: c.Payload, SentAt: c.SentAt, DoneAt: c.DoneAt,
	}
}

func viewStoredCommand(c *history.CommandEntry) order {
	return order{
		ID: c.ID, Kind: c.Kind, Service: c.Service, State: c.State, Code: c.Code, Message: c.Message,
		Input: rawJSON(c.Input), Output: rawJSON(c.Output), SentAt: c.SentAt, DoneAt: c.DoneAt,
	}
}

type setPropertiesInput struct {
	DevicePath
	Body struct {
		Values json.RawMessage `json:"values" doc:"An object: property to value"`
		Wait   string          `json:"wait,omitempty" doc:"How long to wait for the device's answer, such as 5s; at most 1m"`
	}
}

func (a *api) setProperties(ctx context.Context, in *setPropertiesInput) (order, error) {
	values, err := arguments("values", in.Body.Values)
	if err != nil {
		return order{}, err
	}
	patience, err := wait(in.Body.Wait)
	if err != nil {
		return order{}, err
	}
	c, err := a.Commands.Set(ctx, in.id(), values, command.Order{Wait: patience})
	return viewCommand(c), err
}

type invokeServiceInput struct {
	DevicePath
	Service string `path:"service"`
	Body    struct {
		Input json.RawMessage `json:"input,omitempty" doc:"An object: parameter to value"`
		Wait  string          `json:"wait,omitempty" doc:"How long to wait for the device's answer, such as 5s; at most 1m"`
		Async bool            `json:"async,omitempty" doc:"Call a synchronous service asynchronously: it is queued for a device that is away"`
	}
}

func (a *api) invokeService(ctx context.Context, in *invokeServiceInput) (order, error) {
	input := in.Body.Input
	if len(input) == 0 {
		input = json.RawMessage("{}")
	}
	values, err := arguments("input", input)
	if err != nil {
		return order{}, err
	}
	patience, err := wait(in.Body.Wait)
	if err != nil {
		return order{}, err
	}
	c, err := a.Commands.Invoke(ctx, in.id(), in.Service, values, command.Order{Wait: patience, Async: in.Body.Async})
	return viewCommand(c), err
}

func arguments(field string, object json.RawMessage) ([]thing.Argument, error) {
	values, err := thing.ParseArguments(object)
	if err != nil {
		return nil, fault.In(field, fault.Invalid("%s is no JSON object of names and values: %v", field, err))
	}
	return values, nil
}

func (a *api) listCommands(ctx context.Context, in *entriesInput) (list[order], error) {
	if _, err := a.Registry.Device(ctx, in.id()); err != nil {
		return list[order]{}, err
	}
	found, next, err := a.History.Commands(ctx, in.query())
	items := make([]order, len(found))
	for i := range found {
		items[i] = viewStoredCommand(&found[i])
	}
	return page(items, next), err
}

// spanLength reads the length of a Span of time; "" is 0.
func spanLength(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fault.In("step", fault.Invalid("%q is no length of time: write for instance 1m", text))
	}
	return d, nil
}
