package onenet

import (
	"testing"

	"github.com/matou-iot/matou/thing"
)

func TestDesired(t *testing.T) {
	var d Decoder
	params, err := d.Params([]byte(`{"id":"123","version":"1.0","params":["power","temperature"]}`))
	if err != nil || string(d.ID) != "123" {
		t.Fatalf("%s, %v", d.ID, err)
	}
	if string(params) != `["power","temperature"]` {
		t.Errorf("got %s", params)
	}
	if params, err = d.Params([]byte(`{'id':123,params:{power:{version:1},"temperature":{}}}`)); err != nil || d.Loose == 0 || string(params) != `{"power":{"version":1},"temperature":{}}` {
		t.Errorf("%s %s, %v", params, d.Loose, err)
	}
	for _, tt := range []struct {
		all  []DesiredValue
		want string
	}{
		{[]DesiredValue{{"power", thing.TextValue("on"), 2}}, `{"id":"123","code":200,"msg":"success","data":{"power":{"value":"on","version":2}}}`},
		{[]DesiredValue{{"a", thing.BoolValue(true), 1}, {"b", thing.IntValue(5), 3}}, `{"id":"123","code":200,"msg":"success","data":{"a":{"value":true,"version":1},"b":{"value":5,"version":3}}}`},
		{nil, `{"id":"123","code":200,"msg":"success","data":{}}`},
	} {
		if got := string(AppendDesiredReply(nil, []byte("123"), tt.all)); got != tt.want {
			t.Errorf("got %s\nwant %s", got, tt.want)
		}
	}
}
