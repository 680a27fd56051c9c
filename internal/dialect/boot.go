package dialect

import (
	"encoding/json"
)

// A ModelGet asks for the product's thing model. Its result is a *thing.Model.
type ModelGet struct{ Ask }

// A Reset says that the device was set back by hand: whoever owned it does so
// no longer. Its result is Done.
type Reset struct{ Ask }

// A LANGet asks by which key the device is spoken to in its own network. Its
// result is a LANKey.
type LANGet struct{ Ask }

// A LANKey is a name and a secret that are used nowhere else.
type LANKey struct{ Prefix, Secret string }

// A NetworkReport says how good a device's network is. Its result is Done.
type NetworkReport struct {
	Ask
	Report json.RawMessage // as the device wrote it, strict
}
