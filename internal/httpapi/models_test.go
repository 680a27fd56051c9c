package httpapi_test

import (
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/access"
)

// TestModelIsDraftedThenPublished: a draft may be wrong and says why; a
// published one is kept and ends the draft.
func TestModelIsDraftedThenPublished(t *testing.T) {
	h := newHouse(t)
	if status, raw := h.do(access.OperatorRole, "POST", "/api/v1/products", `{"key":"drafted","dialect":"aliyun"}`); status != 201 {
		t.Fatal(status, raw)
	}
	const base = "/api/v1/products/drafted/"
	wrong := `{"properties":[{"id":"a b","name":"","access":"read-only","required":false,"type":{"kind":"int32"}}],"events":[],"services":[]}`
	if status, raw := h.do(access.OperatorRole, "PUT", base+"models/draft?format=matou", wrong); status != 200 || !strings.Contains(raw, "properties[0]") {
		t.Errorf("draft: %d %s", status, raw)
	}
	if status, raw := h.do(access.OperatorRole, "PUT", base+"model?format=matou", strings.Replace(wrong, "a b", "ab", 1)); status != 200 {
		t.Fatal(status, raw)
	}
	if status, raw := h.do(access.Viewer, "GET", base+"models", nil); status != 200 || strings.Contains(raw, `"draft"`) || !strings.Contains(raw, `"version":1`) {
		t.Errorf("models: %d %s", status, raw)
	}
	if status, raw := h.do(access.Viewer, "GET", "/api/v1/overview", nil); status != 200 || !strings.Contains(raw, `"products":true`) {
		t.Errorf("overview: %d %s", status, raw)
	}
}

// TestModelsSayWhatIsNotCarriedOver: of a vendor's file on reading, of a model
// on writing; neither keeps anything.
func TestModelsSayWhatIsNotCarriedOver(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "carried", "dialect": "onenet"})
	const bits = `{"properties":[{"identifier":"bits","functionMode":"property","accessMode":"r","dataType":{"type":"bitMap","specs":{"length":8,"define":[{"bit":0,"number0":"off","number1":"on"}]}}}],"events":[],"services":[]}`
	status, raw := h.do(access.Viewer, "POST", "/api/v1/products/carried/models/check", bits)
	if status != 200 || !strings.Contains(raw, `"format":"onenet"`) || !strings.Contains(raw, `"path":"properties[bits].dataType.specs.define"`) {
		t.Errorf("read: %d %s", status, raw)
	}
	status, raw = h.do(access.Viewer, "POST", "/api/v1/products/carried/models/convert?to=aliyun", bits)
	if status != 200 || !strings.Contains(raw, `\"accessMode\"`) || !strings.Contains(raw, `"path":"properties[bits].type.kind","was":"\"bitmap\"","became":"\"int32\""`) {
		t.Errorf("written: %d %s", status, raw)
	}
	if status, raw = h.do(access.Viewer, "POST", "/api/v1/products/carried/models/convert?to=matou", bits); status != 200 || !strings.Contains(raw, `"lost":[]`) {
		t.Errorf("in its own form: %d %s", status, raw)
	}
	const torn = `{"properties":[{"id":"a","name":"","access":"read-only","required":false,"type":{"kind":"array"}}],"events":[],"services":[]}`
	for _, refused := range []string{"convert?to=elsewhere", "convert?to=aliyun&format=matou"} {
		if status, raw = h.do(access.Viewer, "POST", "/api/v1/products/carried/models/"+refused, torn); status != 400 {
			t.Errorf("%s: %d %s", refused, status, raw)
		}
	}
	if status, raw = h.do(access.Viewer, "GET", "/api/v1/products/carried/models", nil); status != 200 || !strings.Contains(raw, `"items":[]`) {
		t.Errorf("kept: %d %s", status, raw)
	}
}
