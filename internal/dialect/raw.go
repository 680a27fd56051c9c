package dialect

// A RawSpeaker is a dialect whose devices may speak bytes of their own, which a
// script of their product turns into messages of the dialect and back.
type RawSpeaker interface {
	// RawTopic is the topic on which a message would have come that a script
	// made of bytes, and the id of the message; why not, for one that stands for
	// nothing.
	RawTopic(c Claim, doc []byte, reply bool) (topic []byte, id string, why *Diagnosis)
	// RawDown says bytes that a script made of a downlink.
	RawDown(c Claim, raw []byte) Downlink
	// RawReply says bytes that a script made of an answer to bytes.
	RawReply(c Claim, raw []byte) Downlink
	// RawFailure is the answer to bytes of which a script made no message, before
	// the script has turned it into bytes.
	RawFailure(c Claim, id string, code int, text string) Downlink
}

// A RawOnly is a RawSpeaker whose vendor drops messages in its own format from
// devices of a product that has a script.
type RawOnly interface {
	// RawPath is where such a device has to publish.
	RawPath() string
}

// A CustomTopics is a dialect whose products declare topics of their own.
type CustomTopics interface {
	// CustomPath is what stands behind product and device in a topic or filter
	// that is the product's own, and how long that is without the query, which
	// asks for something more.
	CustomPath(c Claim, topic string) (path, query string, ok bool)
}
