package httpapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"testing"
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
