package registry

import (
	"encoding/json"
	"time"
)

// A Network is what a device reported last of its network, in its vendor's
// words [aliyun-device §4.15].
type Network struct {
	At     time.Time       `json:"at"`
	Report json.RawMessage `json:"report"`
}

// MaxNetwork is how many bytes of a report are kept; a longer one is in the
// timeline alone.
const MaxNetwork = 16 << 10
