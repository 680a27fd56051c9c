package thing

import "testing"

// TestUnknownPropertyNamesWhatThereIs: the one that was meant, else some.
func TestUnknownPropertyNamesWhatThereIs(t *testing.T) {
	model := func(ids ...string) *Model {
		m := &Model{}
		for _, id := range ids {
			m.Properties = append(m.Properties, Property{ID: id, Type: DataType{Kind: Int32}})
		}
		return m.Index()
	}
	for _, tt := range []struct {
		m      *Model
		en, zh string
	}{
		{model("a1", "Temp"), `"temp" is not in the model; "Temp" is`, `物模型中没有 "temp"，是否应为 "Temp"？`},
		{model("lux", "humidity"), `"temp" is not in the model, which has lux, humidity`, `物模型中没有 "temp"，已有属性 lux、humidity`},
		{model("p100", "p200", "p300", "p400", "p500", "p600", "p700", "p800"), `"temp" is not in the model, which has p100, p200, p300, p400, p500, p600 and 2 more`, `物模型中没有 "temp"，已有属性 p100、p200、p300、p400、p500、p600 等 8 个`},
		{model(), `"temp" is not in the model, which has no properties yet: import one`, `物模型中没有 "temp"，它还没有属性，请先导入`},
	} {
		p := tt.m.UnknownProperty("temp")
		if p.Fault != Unknown || p.Error() != tt.en || p.SentenceZH() != tt.zh {
			t.Errorf("%s\n%s", p.Error(), p.SentenceZH())
		}
	}
}
