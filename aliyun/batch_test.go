package aliyun

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/thing"
)

// line writes a post down: device, properties, events.
func (p Post) line() string {
	var b strings.Builder
	b.WriteString(p.ProductKey + "/" + p.DeviceName)
	for _, s := range p.Properties {
		fmt.Fprintf(&b, " %s=%s@%d", s.ID, s.Value, s.At)
	}
	for _, h := range p.Events {
		fmt.Fprintf(&b, " %s%s@%d", h.Event, thing.AppendArguments(nil, h.Output), h.At)
	}
	return b.String()
}

func lines(posts []Post) string {
	var all []string
	for _, p := range posts {
		all = append(all, p.line())
	}
	return strings.Join(all, "; ")
}

// many is an object of n members.
func many(n int, value string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"m%d":%s`, i, value))
	}
	return "{" + strings.Join(all, ",") + "}"
}

func TestBatchPost(t *testing.T) {
	for _, tt := range []struct {
		name, doc, want string
		err             error
	}{
		{"as documented [aliyun-device §5.8]", `{"id":"123","version":"1.0","params":{"properties":{"Power":[{"value":1,"time":1524448722000},{"value":0,"time":1524448722001}]},"events":{"alarm":[{"value":{"a":1},"time":1524448722002}]}},"method":"thing.event.property.batch.post"}`,
			`/ Power=1@1524448722000 Power=0@1524448722001 alarm{"a":1}@1524448722002`, nil},
		{"in single quotes", `{'id':'1','params':{'properties':{'Power':[{'value':1}]}}}`, `/ Power=1@0`, nil},
		{"params are a text", `{"id":"1","params":"{\"properties\":{\"Power\":[{\"value\":1,\"time\":2}]}}"}`, `/ Power=1@2`, nil},
		{"bare values and one that is no list", `{"params":{"properties":{"Power":[1,2],"WF":"on"}}}`, `/ Power=1@0 Power=2@0 WF=on@0`, nil},
		{"an event without value", `{"params":{"events":{"alarm":[{"a":1}]}}}`, `/ alarm{"a":1}@0`, nil},
		{"nothing", `{"params":{}}`, `/`, nil},
		{"200 properties", `{"params":{"properties":` + many(200, "[1]") + `}}`, ``, nil},
		{"201 properties", `{"params":{"properties":` + many(201, "[1]") + `}}`, ``, ErrTooManyProperties},
		{"21 events", `{"params":{"events":` + many(21, `[{"a":1}]`) + `}}`, ``, ErrTooManyEvents},
		{"properties a number", `{"params":{"properties":1}}`, ``, ErrBadPost},
		{"params a list", `{"params":[]}`, ``, ErrBadPost},
		{"no params", `{"id":"1"}`, ``, ErrNoParams},
		{"an event that is a number", `{"params":{"events":{"alarm":[1]}}}`, ``, ErrBadPost},
	} {
		var d Decoder
		p, err := d.BatchPost([]byte(tt.doc))
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
		if tt.want != "" && p.line() != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, p.line(), tt.want)
		}
	}
}

func TestHistoryPost(t *testing.T) {
	for _, tt := range []struct {
		name, doc, want string
		err             error
	}{
		{"as documented [aliyun-device §5.8]", `{"id":"1","version":"1.0","params":[{"identity":{"productKey":"pk","deviceName":"dn"},"properties":[{"Power":{"value":"on","time":1524448722000},"WF":{"value":"a","time":1524448722001}},{"Power":{"value":"off","time":1524448722002}}],"events":[{"alarm":{"value":{"a":1},"time":1524448722003}}]}]}`,
			`pk/dn Power=on@1524448722000 WF=a@1524448722001 Power=off@1524448722002 alarm{"a":1}@1524448722003`, nil},
		{"two devices", `{"params":[{"identity":{"productKey":"pk","deviceName":"a"},"properties":[{"P":1}]},{"identity":{"productKey":"pk","deviceName":"b"},"properties":[{"P":2}]}]}`, `pk/a P=1@0; pk/b P=2@0`, nil},
		{"the sender's own, without a name", `{"params":[{"properties":[{"P":{"value":1,"time":5}}]}]}`, `/ P=1@5`, nil},
		{"one object in place of lists", `{"params":{"properties":{"P":{"value":1,"time":5}}}}`, `/ P=1@5`, nil},
		{"half a name", `{"params":[{"identity":{"deviceName":"a"},"properties":[{"P":1}]}]}`, ``, ErrNoIdentity},
		{"21 parts", `{"params":[` + strings.TrimSuffix(strings.Repeat(`{"properties":[]},`, 21), ",") + `]}`, ``, ErrTooManyParts},
		{"201 properties", `{"params":[{"properties":[` + many(201, "1") + `]}]}`, ``, ErrTooManyProperties},
		{"a list of numbers", `{"params":[1]}`, ``, ErrBadPost},
		{"a number", `{"params":1}`, ``, ErrBadPost},
	} {
		var d Decoder
		p, err := d.HistoryPost([]byte(tt.doc))
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
		if tt.want != "" && lines(p) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, lines(p), tt.want)
		}
	}
}

func TestPackPost(t *testing.T) {
	for _, tt := range []struct {
		name, doc, want string
		err             error
	}{
		{"as documented [aliyun-device §5.8]", `{"id":"1","params":{"properties":{"Power":{"value":"on","time":1524448722000}},"events":{"alarm":{"value":{"a":1},"time":2}},"subDevices":[{"identity":{"productKey":"pk","deviceName":"s1"},"properties":{"Power":{"value":"off","time":3}},"events":{"alarm":{"value":{},"time":4}}}]}}`,
			`/ Power=on@1524448722000 alarm{"a":1}@2; pk/s1 Power=off@3 alarm{}@4`, nil},
		{"a value that is a list", `{"params":{"properties":{"L":{"value":[1,2]},"M":[3]}}}`, `/ L=[1,2]@0 M=[3]@0`, nil},
		{"nobody's", `{"params":{"subDevices":[{"properties":{"P":1}}]}}`, ``, ErrNoIdentity},
		{"21 sub-devices", `{"params":{"subDevices":[` + strings.TrimSuffix(strings.Repeat(`{"identity":{"productKey":"p","deviceName":"d"}},`, 21), ",") + `]}}`, ``, ErrTooManyParts},
	} {
		var d Decoder
		p, err := d.PackPost([]byte(tt.doc))
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
		if tt.want != "" && lines(p) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, lines(p), tt.want)
		}
	}
}

func FuzzPosts(f *testing.F) {
	f.Add([]byte(`{"id":"1","params":{"properties":{"Power":[{"value":1,"time":2}]},"events":{"a":[{"value":{"b":1}}]},"subDevices":[{"identity":{"productKey":"p","deviceName":"d"},"properties":{"P":1}}]}}`))
	f.Add([]byte(`{"params":[{"identity":{"productKey":"p","deviceName":"d"},"properties":[{"P":{"value":[1],"time":"2"}}]}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var d Decoder
		d.BatchPost(doc)
		history, err := d.HistoryPost(doc)
		if err == nil && len(history) > MaxPostParts {
			t.Errorf("%d parts", len(history))
		}
		pack, err := d.PackPost(doc)
		if err == nil && len(pack) > MaxPostParts+1 {
			t.Errorf("%d parts", len(pack))
		}
		for _, p := range append(history, pack...) {
			for _, s := range p.Properties {
				if _, err := thing.ParseValue(s.Value.AppendJSON(nil)); err != nil {
					t.Errorf("value %q: %v", s.Value, err)
				}
			}
		}
	})
}
