// Package thing is the neutral thing model: what a kind of device can say and
// do, in words that belong to no vendor. Properties are read and written,
// events are told, services are called; each value has a data type with
// bounds. The package checks values and calls against a model.
//
// It knows no wire format: aliyun and onenet translate their model files and
// payloads from and to it. See thing/loose for the JSON reader both use.
package thing

// A Model is a published thing model. It is immutable once Index has been
// called; any number of goroutines may then use it at once.
type Model struct {
	Properties []Property `json:"properties"`
	Events     []Event    `json:"events"`
	Services   []Service  `json:"services"`

	properties map[string]*Property
	events     map[string]*Event
	services   map[string]*Service
}

// A Property is a value that a device has.
type Property struct {
	ID       string   `json:"id"`   // identifier on the wire; "block:identifier" in a function block
	Name     string   `json:"name"` // for people
	Desc     string   `json:"desc,omitempty"`
	Access   Access   `json:"access"`
	Required bool     `json:"required"`
	Type     DataType `json:"type"`
}

// Access says who may change a property.
type Access byte

// The kinds of access.
const (
	ReadOnly  Access = iota // the device reports it
	ReadWrite               // the cloud may set it too
	WriteOnly               // the cloud sets it, the device does not report it
)

// An Event is something that happens on a device.
type Event struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Desc     string  `json:"desc,omitempty"`
	Level    Level   `json:"level"`
	Required bool    `json:"required"`
	Output   []Param `json:"output"`
}

// A Level is how serious an event is.
type Level byte

// The levels of events.
const (
	Info Level = iota
	Alert
	Fault // "error" with both vendors
)

// A Service is something a device does when asked.
type Service struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Desc     string  `json:"desc,omitempty"`
	Async    bool    `json:"async"` // the caller does not wait for the reply
	Required bool    `json:"required"`
	Input    []Param `json:"input"`
	Output   []Param `json:"output"`
}

// A Param is a named value inside an event, a service or a struct.
type Param struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Required bool     `json:"required"`
	Type     DataType `json:"type"`
}

// A Kind is the shape of a value.
type Kind byte

// The kinds of data. Bitmap is OneNET's bitMap.
const (
	Int32 Kind = iota + 1
	Int64
	Float
	Double
	Bool
	Enum
	Text
	Date
	Struct
	Array
	Bitmap
)

// A DataType says which values are right.
type DataType struct {
	Kind     Kind      `json:"kind"`
	Min      *float64  `json:"min,omitempty"` // numbers; nil: no bound
	Max      *float64  `json:"max,omitempty"`
	Step     *float64  `json:"step,omitempty"`
	Unit     string    `json:"unit,omitempty"`     // "°C"
	UnitName string    `json:"unitName,omitempty"` // "摄氏度"
	Labels   []Label   `json:"labels,omitempty"`   // Enum: its values; Bool: the texts of 0 and 1
	Length   int       `json:"length,omitempty"`   // Text: greatest length in bytes, 0 no limit; Bitmap: number of bits
	Fields   []Param   `json:"fields,omitempty"`   // Struct
	Item     *DataType `json:"item,omitempty"`     // Array: type of its elements
	Size     int       `json:"size,omitempty"`     // Array: greatest number of elements, 0 no limit
}

// A Label names one value of an Enum or Bool.
type Label struct {
	Value int64  `json:"value"`
	Text  string `json:"text"`
}
