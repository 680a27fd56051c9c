package dialect

import "time"

// A Request is what a device asks of the platform beyond reporting: the time,
// its shadow, its tags, an update. The kinds are pointers to the structs that
// embed Ask, one file a function; each names the type of its result. The
// dialect reads it (Uplink with the kind Asks), whoever keeps the function
// serves it (ingest.Handle), and the dialect says the answer (Dialect.Answer).
type Request interface{ Asked() *Ask }

// An Ask is how a request came: what its answer has to repeat.
type Ask struct {
	Claim    Claim    // whose topic it came on: the device's own, or that of a sub-device of it
	Topic    string   // as the device sent it, without a query
	ID       string   // of the message, "" where it has none
	NoAnswer bool     // the device wants to hear nothing
	By       *Subject // whose connection brought it: the device's own, or its gateway's; nil: none did
	After    func()   // set by who serves it: what is to be done once it is answered; nil for nothing
}

// Asked returns a itself; it makes a struct that embeds Ask a Request.
func (a *Ask) Asked() *Ask { return a }

// A Clock asks what time it is. Its result is a Time.
type Clock struct {
	Ask
	Sent string // the device's own time as it was written, JSON; "" for none
}

// A Time is when a Clock came in and when its answer went out.
type Time struct{ Received, Answered time.Time }
