package httpapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/httpapi"
)

var update = flag.Bool("update", false, "write console/openapi.json anew")

// TestConsoleKnowsTheAPI: the console's client is generated from this file.
func TestConsoleKnowsTheAPI(t *testing.T) {
	h := newHouse(t)
	resp, err := http.Get(h.url + "/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%d %v", resp.StatusCode, err)
	}
	var described map[string]any
	if err := json.Unmarshal(raw, &described); err != nil {
		t.Fatal(err)
	}
	described["info"].(map[string]any)["version"] = "" // of the program
	want, err := json.MarshalIndent(described, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	const path = "../../console/openapi.json"
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("console/openapi.json is not what the API is: go test ./internal/httpapi -run ConsoleKnows -update (%v)", err)
	}
}

// TestNothingOfGoIsDescribed: members are named as they are sent, and what may
// be any JSON value is described so.
func TestNothingOfGoIsDescribed(t *testing.T) {
	raw, err := os.ReadFile("../../console/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var described struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]map[string]any
			}
		}
	}
	if err := json.Unmarshal(raw, &described); err != nil {
		t.Fatal(err)
	}
	for name, s := range described.Components.Schemas {
		for member := range s.Properties {
			if member[0] >= 'A' && member[0] <= 'Z' {
				t.Errorf("%s has %s", name, member)
			}
		}
	}
	value := described.Components.Schemas["Sample"].Properties["value"]
	if _, typed := value["type"]; typed || value["$ref"] != nil {
		t.Errorf("a value is described as %v", value)
	}
}

// TestTheAuditPageNamesEveryChange: each route that leaves a line in the audit
// log has words for it in the console, in both languages.
func TestTheAuditPageNamesEveryChange(t *testing.T) {
	h := newHouse(t)
	raw, err := os.ReadFile("../../console/src/pages/audit/actions.ts")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("${D}", "${P}/devices/{device}").Replace(string(raw))
	text = strings.NewReplacer("${P}", "/products/{product}", "[`", "'", "`]", "'").Replace(text)
	for route := range h.routes() {
		method, path, _ := strings.Cut(route, " ")
		short := method + " " + strings.TrimPrefix(path, httpapi.Base)
		if method != "GET" && !computes[short] && !strings.Contains(text, "'"+short+"': [") {
			t.Errorf("%s is not in console/src/pages/audit/actions.ts", short)
		}
	}
}
