package httpapi

import (
	"encoding/json"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/refusal"
	"github.com/matou-iot/matou/internal/trace"
)

// TestAFaultWithoutRemedyHasThatOfItsPage: a person finds what to do beside
// the sentence, whoever found the fault.
func TestAFaultWithoutRemedyHasThatOfItsPage(t *testing.T) {
	page, ok := refusal.Find("aliyun-ota-no-upgrade")
	if !ok || page.Advice == "" {
		t.Fatal(page, ok)
	}
	shown := func(kind trace.Kind, d any, code string) (out struct{ Detail dialect.Diagnosis }) {
		raw, err := json.Marshal(viewEntry(trace.Entry{Kind: kind, Code: code, Detail: d}))
		if err == nil {
			err = json.Unmarshal(raw, &out)
		}
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	bare := dialect.Diagnosis{Code: page.Code, Field: "task", Received: "7", Expected: "another", Sentence: "no", SentenceZH: "没有"}
	if got := shown(trace.Fault, &bare, "aliyun-ota-no-upgrade").Detail; got.Advice != page.Advice || got.AdviceZH != page.AdviceZH || got.Received != "7" || got.SentenceZH != "没有" {
		t.Errorf("%+v", got)
	}
	own := bare
	own.Advice, own.AdviceZH = "do this", "这样做"
	raw, _ := json.Marshal(own) // as it comes out of the ring
	if got := shown(trace.Refuse, json.RawMessage(raw), "aliyun-ota-no-upgrade").Detail; got.Advice != "do this" || got.AdviceZH != "这样做" {
		t.Errorf("%+v", got)
	}
	if got := shown(trace.Fault, &bare, "no-such-code").Detail; got.Advice != "" {
		t.Errorf("%+v", got)
	}
}
