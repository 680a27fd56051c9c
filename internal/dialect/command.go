package dialect

// A Getter is a dialect that can ask a device for the values of properties.
type Getter interface {
	Get(c Claim, id string, properties []string) Downlink
}

// A Commander is a dialect whose devices take commands that are bytes, answer
// them with bytes, and are told whether the answer was taken.
type Commander interface {
	// Command says it; it is the caller's to keep to MaxCommand bytes.
	Command(c Claim, id string, payload []byte) Downlink
	MaxCommand() int
}

// A RawSender is a dialect that passes bytes to a device unread.
type RawSender interface {
	Raw(c Claim, id string, payload []byte) Downlink
}

// A Response is a device's answer in bytes to a command or to raw bytes. It has
// no result.
type Response struct {
	Ask
	Command string // the id of what it answers
	Payload []byte // aliases the message
}

// Why a response was not taken.
const (
	ErrResponseLate    requestError = "the response comes too late"
	ErrResponseUnasked requestError = "the response answers no open command"
)
