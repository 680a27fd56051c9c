package coapgate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/net/blockwise"
	"github.com/plgd-dev/go-coap/v3/udp/coder"

	vendor "github.com/matou-iot/matou/aliyun"
)

// maxOptions is how many options a message may have: a topic has at the most a
// few levels, each of them an option.
const maxOptions = 64

// A request is a CoAP message as far as it matters here.
type request struct {
	confirmable bool
	code        codes.Code
	id          int32
	token       []byte
	path        []string
	format      int // the media type of the payload, -1 for none
	accept      int // the media type that is wanted, -1 for any
	session     string
	sequence    []byte // encrypted
	block       *block
	payload     []byte
	critical    int // an option that has to be understood and is not, 0 for none
}

// errNotRequest says that a message is in order and asks for nothing.
var errNotRequest = errors.New("it asks for nothing")

// parse reads a datagram. Of one that has a header the type and the id come back
// even with an error, so that it can be reset. Nothing is kept of b but through
// the request.
func parse(b []byte) (*request, error) {
	m := message.Message{Options: make(message.Options, 0, maxOptions)}
	_, err := coder.DefaultCoder.Decode(b, &m)
	r := &request{format: -1, accept: -1}
	if len(b) >= 4 && b[0]>>6 == 1 {
		r.confirmable, r.id = message.Type(b[0]>>4&3) == message.Confirmable, int32(binary.BigEndian.Uint16(b[2:]))
	}
	switch {
	case err != nil:
		return r, err
	case m.Type != message.Confirmable && m.Type != message.NonConfirmable:
		return r, errNotRequest
	case m.Code == codes.Empty:
		return r, errNotRequest // a ping, where it is confirmable
	case m.Code >= 32:
		return r, errors.New("a response that nobody asked for")
	}
	r.code, r.token, r.payload = m.Code, m.Token, m.Payload
	for _, o := range m.Options {
		if err := r.option(o); err != nil {
			return r, err
		}
	}
	return r, nil
}

// option reads one option. Token and sequence number in a query are read where
// they do not come as options [aliyun-device §7.2].
func (r *request) option(o message.Option) error {
	switch o.ID {
	case message.URIPath:
		if strings.ContainsAny(string(o.Value), "/\x00") {
			return errors.New("a segment of its path has a slash or NUL in it")
		}
		r.path = append(r.path, string(o.Value))
	case message.ContentFormat:
		r.format = number(o.Value)
	case message.Accept:
		r.accept = number(o.Value)
	case message.URIQuery:
		name, value, _ := strings.Cut(string(o.Value), "=")
		switch {
		case name == "token" && r.session == "":
			r.session = value
		case name == "seq" && r.sequence == nil:
			r.sequence = unhex(value)
		}
	case vendor.CoAPToken:
		r.session = strings.TrimRight(string(o.Value), "\x00")
	case vendor.CoAPSequence:
		r.sequence = o.Value
	case message.Block1:
		szx, n, more, err := blockwise.DecodeBlockOption(uint32(number(o.Value)))
		if err != nil || szx > blockwise.SZX1024 {
			return fmt.Errorf("its block option is out of order: %x", o.Value)
		}
		r.block = &block{number: int(n), more: more, size: int(szx.Size()), raw: o.Value}
	case message.Block2, message.URIHost, message.URIPort:
		// Answers are of one block; whoever we are called.
	default:
		if o.ID%2 == 1 && r.critical == 0 { // critical [RFC 7252 §5.4.6]
			r.critical = int(o.ID)
		}
	}
	return nil
}

// number reads the value of an option that is a number.
func number(b []byte) (n int) {
	for _, c := range b[:min(len(b), 4)] {
		n = n<<8 | int(c)
	}
	return n
}

// unhex reads what a query can hold of an encrypted number; nil for anything
// else.
func unhex(s string) []byte {
	if len(s) > 64 || len(s)%2 != 0 {
		return nil
	}
	b := make([]byte, len(s)/2)
	for i := range b {
		n, err := strconv.ParseUint(s[2*i:2*i+2], 16, 8)
		if err != nil {
			return nil
		}
		b[i] = byte(n)
	}
	return b
}

// An answer is what a request is told. Errors have no payload [aliyun-device
// §7.3].
type answer struct {
	code    codes.Code
	payload []byte
	format  int    // of the payload, -1 for none
	message uint64 // the platform's id of the message, 0 for none
	block   []byte // the block option that is acknowledged; nil for none
}

func refusal(code codes.Code) answer { return answer{code: code, format: -1} }

// encode makes a message of an answer.
func (a *answer) encode(typ message.Type, id int32, token []byte) []byte {
	m := message.Message{Type: typ, MessageID: id, Token: token, Code: a.code, Payload: a.payload}
	if a.format >= 0 {
		m.Options = append(m.Options, message.Option{ID: message.ContentFormat, Value: uintBytes(uint32(a.format))})
	}
	if a.block != nil {
		m.Options = append(m.Options, message.Option{ID: message.Block1, Value: a.block})
	}
	if a.message != 0 {
		m.Options = append(m.Options, message.Option{ID: vendor.CoAPMessageID, Value: strconv.AppendUint(nil, a.message, 10)})
	}
	return encode(m)
}

func encode(m message.Message) []byte {
	size, err := coder.DefaultCoder.Size(m)
	if err != nil {
		panic(err) // we made it ourselves
	}
	b := make([]byte, size)
	if _, err := coder.DefaultCoder.Encode(m, b); err != nil {
		panic(err)
	}
	return b
}

// bare is a message without anything: a reset, or an acknowledgement.
func bare(typ message.Type, id int32) []byte {
	return encode(message.Message{Type: typ, MessageID: id})
}

// uintBytes is a number in as few bytes as it needs [RFC 7252 §3.2].
func uintBytes(n uint32) (b []byte) {
	for shift := 24; shift >= 0; shift -= 8 {
		if n>>shift > 0 {
			b = append(b, byte(n>>shift))
		}
	}
	return b
}
