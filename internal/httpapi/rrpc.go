package httpapi

import (
	"context"
	"encoding/base64"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/fault"
)

type rrpcInput struct {
	DevicePath
	Body struct {
		BytesBody
		Topic   string `json:"topic,omitempty" doc:"A custom topic of the device, which has to log in with ext=1 then; left out, the system's own"`
		Timeout string `json:"timeout,omitempty" doc:"1s to 8s; left out, 5s"`
	}
}

// An rrpc is what became of a question.
type rrpc struct {
	ID     string `json:"id"`
	Code   string `json:"code" doc:"SUCCESS, TIMEOUT, OFFLINE, HALFCONN (the connection broke a moment ago) or UNKNOWN"`
	Topic  string `json:"topic" doc:"On which the device was asked"`
	Text   string `json:"text,omitempty" doc:"The answer, where it is text"`
	Base64 string `json:"base64,omitempty" doc:"The answer in Base64"`
	TookMS int64  `json:"tookMs"`
}

// askDevice asks a device and waits for its answer.
func (a *api) askDevice(ctx context.Context, in *rrpcInput) (rrpc, error) {
	payload, err := in.Body.bytes()
	if err != nil {
		return rrpc{}, err
	}
	q := command.Question{Topic: in.Body.Topic, Payload: payload}
	if in.Body.Timeout != "" {
		if q.Timeout, err = time.ParseDuration(in.Body.Timeout); err != nil || q.Timeout <= 0 {
			return rrpc{}, fault.In("timeout", fault.Invalid("%q is no length of time: write for instance 5s", in.Body.Timeout))
		}
	}
	r, err := a.Commands.RRPC(ctx, in.id(), q)
	if err != nil {
		return rrpc{}, err
	}
	out := rrpc{ID: r.ID, Code: r.Code, Topic: r.Topic, TookMS: r.Took.Milliseconds(), Base64: base64.StdEncoding.EncodeToString(r.Payload)}
	if utf8.Valid(r.Payload) {
		out.Text = string(r.Payload)
	}
	return out, nil
}

type broadcastInput struct {
	ProductPath
	Body struct {
		BytesBody
		Topic string `json:"topic,omitempty" doc:"Behind /broadcast/{product}/, for those who subscribed; left out, all devices that are online are told"`
	}
}

// A cast is what became of a broadcast.
type cast struct {
	ID      string `json:"id,omitempty"`
	Topic   string `json:"topic"`
	Reached int    `json:"reached" doc:"Devices to whose connection it was handed"`
	Missed  int    `json:"missed" doc:"Devices that are online and did not take it"`
}

func (a *api) broadcast(ctx context.Context, in *broadcastInput) (cast, error) {
	payload, err := in.Body.bytes()
	if err != nil {
		return cast{}, err
	}
	c, err := a.Commands.Broadcast(ctx, in.Product, in.Body.Topic, payload)
	return cast{c.ID, c.Topic, c.Reached, c.Missed}, err
}
