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
