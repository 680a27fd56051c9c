package registry

import "strings"

// A DataModel is what the devices of a product report: values of a thing model,
// or streams that nobody has to declare [onenet §0.2].
type DataModel byte

// The data models. All dialects know Thing, OneNET knows Streams as well.
const (
	Thing DataModel = iota
	Streams
)

var dataModelWords = []string{Thing: "thing", Streams: "streams"}

// String is the word for the data model.
func (m DataModel) String() string { return word(dataModelWords, byte(m)) }

// MarshalText writes the word.
func (m DataModel) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the word, or the vendor's; "" means thing.
func (m *DataModel) UnmarshalText(text []byte) error {
	switch strings.ToLower(string(text)) {
	case "", "物模型", "onejson":
		*m = Thing
		return nil
	case "数据流", "datastream":
		*m = Streams
		return nil
	}
	i, err := unword("data model", dataModelWords, string(text))
	if err == nil {
		*m = DataModel(i)
	}
	return err
}
