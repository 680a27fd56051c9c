package ingest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/script"
	"github.com/matou-iot/matou/mqtt"
)

// oneHexes are hexes that speak OneJSON.
type oneHexes struct{ hexes }

func (oneHexes) Decode(_ context.Context, _ string, raw []byte) ([]byte, error) {
	if len(raw) == 2 {
		return fmt.Appendf(nil, `{"id":"%d","code":200,"msg":"success"}`, raw[1]), nil
	}
	return fmt.Appendf(nil, `{"method":"thing.property.post","id":"7","version":"1.0","params":{"CurrentTemperature":{"value":%d}}}`, raw[0]), nil
}

func TestOneNETBytesAreReadByTheScript(t *testing.T) {
	h := newHouse(t)
	h.Scripts = oneHexes{}
	base := "$sys/" + lamp + "/" + one + "/"
	say := func(topic, payload string, mode dialect.Strictness) {
		t.Helper()
		who := &dialect.Subject{Claim: dialect.Claim{Product: lamp, Device: one}, Dialect: onenet.Dialect{}, Mode: mode}
		if d := h.Publish(nil, who, message(topic, payload)); d.Pending != nil && d.Pending.Settle() != mqtt.Success {
			t.Fatalf("%+v", d)
		}
	}
	say(base+"custome/up", "\x15", dialect.Strict)
	if all := h.sender.all(); len(all) != 1 || all[0].topic != base+"custome/up_reply" || all[0].payload != "\xa0\xc8" {
		t.Errorf("answered %+v", all)
	}
	if kept := h.log.Records(t); len(kept) != 1 || kept[0].Kind != record.PropertyReport {
		t.Errorf("kept %+v", kept)
	}
	say(base+"custome/down_reply/s1700000000000", "\x00\x09", dialect.Strict)
	if all := h.commands.replies; len(all) != 1 || all[0].ID != "9" || !all[0].OK {
		t.Errorf("replies %+v", all)
	}
	// OneNET says nothing of messages in its own format beside a script.
	say(base+"thing/property/post", `{"id":"8","version":"1.0","params":{"CurrentTemperature":{"value":20}}}`, dialect.Strict)
	if all := h.sender.all(); len(all) != 2 || all[1].payload != `{"id":"8","code":200,"msg":"success"}` {
		t.Errorf("answered %+v", all)
	}
}

// noScripts is what a server says of a product that has none.
type noScripts struct{ hexes }

func (noScripts) Decode(context.Context, string, []byte) ([]byte, error) {
	return nil, &script.Error{Kind: script.Missing}
}

func (noScripts) Encode(context.Context, string, []byte) ([]byte, error) {
	return nil, &script.Error{Kind: script.Missing}
}

func TestAScriptThatIsMissingIsToldOnce(t *testing.T) {
	for topic, d := range map[string]dialect.Dialect{
		"$sys/" + lamp + "/" + one + "/custome/up": onenet.Dialect{},
		upRaw: aliyun.Dialect{},
	} {
		h := newHouse(t)
		h.Scripts = noScripts{}
		who := &dialect.Subject{Claim: dialect.Claim{Product: lamp, Device: one}, Dialect: d, Mode: dialect.Lenient}
		for range 2 { // each message by itself
			if d := h.Publish(nil, who, message(topic, "\x01")); d.Pending == nil || d.Pending.Settle() != mqtt.Success {
				t.Fatalf("%+v", d)
			}
		}
		told := 0
		for _, e := range h.timeline() {
			if e.Code == d.Name()+"-script-missing" {
				told++
			}
		}
		if told != 2 || len(h.sender.all()) != 2 {
			t.Errorf("%s: told %d times of two messages, answered %+v", topic, told, h.sender.all())
		}
	}
}
