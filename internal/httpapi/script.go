package httpapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/script"
)

// A parser is a product's script as people see it.
type parser struct {
	Product   string    `json:"product"`
	Functions []string  `json:"functions" doc:"Which it has of rawDataToProtocol, protocolToRawData and transformPayload"`
	Version   int       `json:"version"`
	Bytes     int       `json:"bytes" doc:"Of the source"`
	Source    string    `json:"source,omitempty" doc:"Only when it was asked for"`
	UpdatedAt time.Time `json:"updatedAt"`
}

func viewScript(s *script.Script, source bool) parser {
	p := parser{Product: s.Product, Functions: s.Functions, Version: s.Version, Bytes: len(s.Source), UpdatedAt: s.UpdatedAt}
	if source {
		p.Source = s.Source
	}
	return p
}

func (a *api) showScript(ctx context.Context, in *ProductPath) (parser, error) {
	s, err := a.Scripts.Script(ctx, in.Product)
	if err != nil {
		return parser{}, err
	}
	return viewScript(s, true), nil
}

type setScriptInput struct {
	ProductPath
	Body struct {
		Source string `json:"source" doc:"JavaScript with rawDataToProtocol, protocolToRawData or transformPayload; at most 128 KB"`
	}
}

// setScript gives a product a script, where its dialect knows what to do with it.
func (a *api) setScript(ctx context.Context, in *setScriptInput) (parser, error) {
	p, err := a.Registry.Product(ctx, in.Product)
	if err != nil {
		return parser{}, err
	}
	d, _ := a.Dialects.ByName(p.Dialect)
	if _, can := d.(dialect.RawSpeaker); !can {
		return parser{}, fault.Conflict("product %q speaks %s, whose devices have no bytes for a script", p.Key, p.Dialect)
	}
	s, err := a.Scripts.Set(ctx, in.Product, in.Body.Source)
	if err != nil {
		return parser{}, err
	}
	return viewScript(&s, false), nil
}

func (a *api) deleteScript(ctx context.Context, in *ProductPath) error {
	return a.Scripts.Delete(ctx, in.Product)
}

type testScriptInput struct {
	ProductPath
	Body struct {
		BytesBody
		Function string          `json:"function,omitempty" doc:"rawDataToProtocol, protocolToRawData or transformPayload; left out, what the input is for"`
		Message  json.RawMessage `json:"message,omitempty" doc:"What protocolToRawData gets"`
		Topic    string          `json:"topic,omitempty" doc:"What transformPayload gets besides the bytes"`
		Source   string          `json:"source,omitempty" doc:"Another script than that of the product"`
	}
}

// A trial is what a test run gave.
type trial struct {
	OK       bool            `json:"ok"`
	Function string          `json:"function"`
	Message  json.RawMessage `json:"message,omitempty" doc:"Of rawDataToProtocol and transformPayload"`
	Base64   string          `json:"base64,omitempty" doc:"The bytes of protocolToRawData"`
	Log      []string        `json:"log,omitempty" doc:"Lines of console.log"`
	CPU      string          `json:"cpu" doc:"Processor time"`
	Error    *scriptMistake  `json:"error,omitempty"`
}

type scriptMistake struct {
	script.Error
	Code       int    `json:"code" doc:"The vendor's"`
	Sentence   string `json:"sentence"`
	SentenceZH string `json:"sentenceZh"`
	Advice     string `json:"advice"`
	AdviceZH   string `json:"adviceZh"`
}

func (a *api) testScript(ctx context.Context, in *testScriptInput) (trial, error) {
	if _, err := a.Registry.Product(ctx, in.Product); err != nil {
		return trial{}, err
	}
	raw, err := in.Body.bytes()
	if err != nil {
		return trial{}, err
	}
	t := script.Trial{Product: in.Product, Source: in.Body.Source, Function: in.Body.Function, Topic: in.Body.Topic, Bytes: raw, JSON: string(in.Body.Message)}
	switch {
	case t.Function != "":
	case len(in.Body.Message) > 0:
		t.Function = script.Encode
	case t.Topic != "":
		t.Function = script.Transform
	default:
		t.Function = script.Decode
	}
	r, err := a.Scripts.Try(ctx, t)
	if err != nil {
		return trial{}, err
	}
	out := trial{OK: r.Err == nil, Function: t.Function, Message: rawJSON(r.JSON), Log: r.Log, CPU: r.Took.Round(10 * time.Microsecond).String()}
	if t.Function == script.Encode && r.Err == nil {
		out.Base64 = base64.StdEncoding.EncodeToString(r.Bytes)
	}
	if r.Err != nil {
		advice, adviceZH := r.Err.Advice()
		out.Error = &scriptMistake{*r.Err, r.Err.Code(), r.Err.Error(), r.Err.SentenceZH(), advice, adviceZH}
	}
	return out, nil
}
