package dialect

// A Questioner is a dialect that can ask a device something which it answers at
// once: the vendor's RRPC.
type Questioner interface {
	// Question says it. topic is the custom one to ask on, "" for the usual one;
	// clientID is as in the device's CONNECT, which says what the device can.
	// The error is a fault.
	Question(c Claim, clientID, id, topic string, payload []byte) (Downlink, error)
	// CallNow turns a service call into a question.
	CallNow(c Claim, clientID, id string, call Downlink) Downlink
	// ReplyOf reads the answer to a call that was a question.
	ReplyOf(payload []byte) (Reply, *Diagnosis)
}

// An RRPCAnswer is a device's answer to a question. It has no result.
type RRPCAnswer struct {
	Ask
	Question string // its id
	Payload  []byte // aliases the message
}

// ErrNoQuestion is why an answer was not taken: nobody waits for it, any more or
// at all.
const ErrNoQuestion requestError = "the answer is to no open question"

// A Broadcaster is a dialect that can tell many devices of a product something.
type Broadcaster interface {
	// BroadcastTopic is that of the subscribers to a path.
	BroadcastTopic(product, path string) string
	// BroadcastTo is the message for one device of those that are online.
	BroadcastTo(c Claim, id string, payload []byte) Downlink
}
