package main

import (
	"errors"
	"net/http"
	"net/url"
)

// ensureProduct makes a product with its model where there is none. One that
// is there keeps its model, and has to speak the dialect.
func ensureProduct(r *rest, key, dialect string, model []byte) error {
	var there struct {
		Dialect string `json:"dialect"`
	}
	err := r.call("GET", at("products", key), nil, nil, &there)
	if err == nil && there.Dialect != dialect {
		return usagef("product %s speaks %s, not %s: name another product", key, there.Dialect, dialect)
	}
	if !isNotFound(err) {
		return err
	}
	err = r.call("POST", at("products"), nil, map[string]string{"key": key, "name": key, "dialect": dialect}, nil)
	if err != nil || len(model) == 0 {
		return err
	}
	_, err = r.raw(question{method: "PUT", path: at("products", key, "model"), query: query("format", dialect), body: model, content: jsonContent, accept: jsonContent}, 0)
	return err
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
