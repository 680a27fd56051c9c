package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/matou-iot/matou/device/fleet"
	"github.com/matou-iot/matou/thing"
)

// ensureProduct makes a product with its model where there is none. One that is
// there has to speak the dialect. It keeps a model of its own; lacks is what
// devices of the model that was given would say in vain.
func ensureProduct(r *rest, key, dialect string, gateway bool, model []byte) (lacks []string, err error) {
	var there struct {
		Dialect  string `json:"dialect"`
		NodeType string `json:"nodeType"`
	}
	err = r.call("GET", at("products", key), nil, nil, &there)
	switch {
	case isNotFound(err):
		made := map[string]string{"key": key, "name": key, "dialect": dialect}
		if gateway {
			made["nodeType"] = "gateway"
		}
		if err := r.call("POST", at("products"), nil, made, nil); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	case there.Dialect != dialect:
		return nil, usagef("product %s speaks %s, not %s: name another product", key, there.Dialect, dialect)
	case gateway && there.NodeType != "gateway":
		return nil, usagef("product %s is none of gateways: name another product, or matou product set %s --node-type gateway", key, key)
	}
	if len(model) == 0 {
		return nil, nil
	}
	want, err := fleet.ImportModel(dialect, model)
	if err != nil {
		return nil, err
	}
	var have thing.Model
	err = r.call("GET", at("products", key, "model"), query("format", "matou"), nil, &have)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	if len(have.Properties)+len(have.Events)+len(have.Services) > 0 {
		return missingIn(&have, want), nil
	}
	_, err = r.raw(question{method: "PUT", path: at("products", key, "model"), query: query("format", dialect), body: model, content: jsonContent, accept: jsonContent}, 0)
	return nil, err
}

// missingIn lists what a model has not of another.
func missingIn(have, want *thing.Model) (lacks []string) {
	have.Index()
	for _, p := range want.Properties {
		if _, ok := have.Property(p.ID); !ok {
			lacks = append(lacks, p.ID)
		}
	}
	for _, e := range want.Events {
		if _, ok := have.Event(e.ID); !ok {
			lacks = append(lacks, "event "+e.ID)
		}
	}
	for _, s := range want.Services {
		if _, ok := have.Service(s.ID); !ok {
			lacks = append(lacks, "service "+s.ID)
		}
	}
	return lacks
}

// warnOfModel says what a product that was there already does not know.
func warnOfModel(w io.Writer, product string, lacks []string) {
	if len(lacks) > 0 {
		fmt.Fprintf(w, "matou: product %s was there, with a model of its own that lacks %s: what devices say of that is not taken; name another product, or import the model\n",
			product, strings.Join(lacks, ", "))
	}
}

func isNotFound(err error) bool {
	e, ok := errors.AsType[*rejection](err)
	return ok && e.Status == http.StatusNotFound
}

// explainRefusal asks a Matou why it refused a device: the doctor's sentence
// and advice, "" where there is nobody to ask or nothing is known.
func explainRefusal(g *globals, f *apiFlags, product, device string, chinese bool) string {
	r, err := f.open(g)
	if err != nil || r.token == "" {
		return ""
	}
	var list struct {
		Items []struct {
			Code       string `json:"code"`
			Sentence   string `json:"sentence"`
			SentenceZH string `json:"sentenceZh"`
			Detail     struct {
				Advice   string `json:"advice"`
				AdviceZH string `json:"adviceZh"`
			} `json:"detail"`
		} `json:"items"`
	}
	err = r.call("GET", at("products", product, "devices", device, "timeline"), url.Values{"limit": {"20"}}, nil, &list)
	if isNotFound(err) {
		return err.Error()
	}
	if err != nil {
		return ""
	}
	for _, e := range list.Items {
		if e.Sentence == "" {
			continue
		}
		sentence, advice := e.Sentence, e.Detail.Advice
		if chinese {
			sentence, advice = e.SentenceZH, e.Detail.AdviceZH
		}
		if advice != "" {
			sentence += "; " + advice
		}
		return sentence + " (" + e.Code + ")"
	}
	return ""
}
