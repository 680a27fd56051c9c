package registry

import "time"

// A Waiting is a message that waits for a sub-device that is away.
type Waiting struct {
	Seq     int64 // its place, given by the store
	Topic   string
	Payload []byte
	At      time.Time // since when
}
