package dialect

import (
	"time"

	"github.com/matou-iot/matou/thing"
)

// A DesiredValue is what a property shall be once the device knows of it.
type DesiredValue struct {
	Property string
	Value    thing.Value
	Version  int64 // 1 for the first setting, then one more each time
	At       time.Time
}

// A DesiredGet asks for desired values. Its result is a Desired.
type DesiredGet struct {
	Ask
	Properties []string
}

// Desired are the values that a device asked for, those that there are, and
// the model that says how they are written.
type Desired struct {
	Values []DesiredValue
	Model  *thing.Model
}

// A DesiredDelete takes desired values away. Its result is Done.
type DesiredDelete struct {
	Ask
	Properties []thing.DesiredVersion
}

// Done is the result of a request that asks for nothing to be told.
type Done struct{}
