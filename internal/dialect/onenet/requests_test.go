package onenet

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/thing"
)

func TestDesiredValues(t *testing.T) {
	get, remove := sys+"thing/property/desired/get", sys+"thing/property/desired/delete"
	on := dialect.Desired{Values: []dialect.DesiredValue{{Property: "power", Value: thing.TextValue("on"), Version: 2}}}
	for _, tt := range []struct {
		name, topic, payload string
		asks                 string
		result               any
		err                  error
		answer               string
	}{
		{"get", get, `{"id":"123","version":"1.0","params":["power","temperature"]}`, "[power temperature]", on, nil,
			`{"id":"123","code":200,"msg":"success","data":{"power":{"value":"on","version":2}}}`},
		{"get of none", get, `{"id":"123","params":["x"]}`, "[x]", dialect.Desired{}, nil, `{"id":"123","code":200,"msg":"success","data":{}}`},
		{"delete", remove, `{"id":"123","version":"1.0","params":{"power":{"version":1},"temperature":{}}}`, "[{power 1} {temperature 0}]", dialect.Done{}, nil,
			`{"id":"123","code":200,"msg":"success"}`},
		{"of a device that is gone", get, `{"id":"123","params":["x"]}`, "[x]", nil, fault.NotFound("gone"), `{"id":"123","code":2300,"msg":"gone"}`},
		{"when the disk fails", remove, `{"id":"123","params":{"x":{}}}`, "[{x 0}]", nil, errors.New("disk"), `{"id":"123","code":2300,"msg":"server error"}`},
		{"params of another form", get, `{"id":"123","params":{"power":1}}`, "", nil, nil, `{"id":"123","code":2303,"msg":"params illegal"}`},
		{"without params", get, `{"id":"123"}`, "", nil, nil, `{"id":"123","code":2303,"msg":"params missing"}`},
		{"too many", get, `{"id":"123","params":["` + strings.Repeat(`a","`, 200) + `a"]}`, "", nil, nil, `{"id":"123","code":2311,"msg":"params illegal"}`},
		{"cut off", remove, `{"id":"123","params":{`, "", nil, nil, `{"id":"123","code":2301,"msg":"invalid json"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := read(tt.topic, tt.payload, dialect.Lenient)
			asks := ""
			switch r := up.Request.(type) {
			case *dialect.DesiredGet:
				asks = fmt.Sprint(r.Properties)
			case *dialect.DesiredDelete:
				asks = fmt.Sprint(r.Properties)
			}
			if up.Kind != dialect.Asks || asks != tt.asks {
				t.Errorf("kind %d asks %s, not %s", up.Kind, asks, tt.asks)
			}
			if up.Request == nil {
				if up.Fault == nil || up.Fault.SentenceZH == "" || !strings.HasPrefix(up.Fault.Code, "onenet-") {
					t.Errorf("the timeline is told %+v", up.Fault)
				}
			} else {
				if who := up.Request.Asked().Claim; who.Product != "VRqhDHF2wL" || who.Device != "my_tv" {
					t.Errorf("asked by %+v", who)
				}
				up.Answers = append(up.Answers, Dialect{}.Answer(up.Request, tt.result, tt.err)...)
			}
			if topic, payload := answered(up); topic != tt.topic+"/reply" || payload != tt.answer {
				t.Errorf("answered %s %s\nwant %s", topic, payload, tt.answer)
			}
		})
	}
}
