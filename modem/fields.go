package modem

import (
	"strings"

	"github.com/matou-iot/matou/at"
)

// Fields returns the parameters of a line of a cellular module with a prefix
// such as "+QIOPEN:".
func Fields(line, prefix string) ([]at.Arg, bool) {
	rest, found := strings.CutPrefix(line, prefix)
	if !found {
		return nil, false
	}
	args, err := at.V250.Args(strings.TrimLeft(rest, " "))
	return args, err == nil
}

// Numbers returns the numbers that a line with a prefix begins with, up to the
// first thing that is none.
func Numbers(line, prefix string) (list []int) {
	args, _ := Fields(line, prefix)
	for _, a := range args {
		n, ok := a.Int()
		if !ok {
			break
		}
		list = append(list, n)
	}
	return list
}

// Mail reads how a cellular module hands over a received message:
// <client>,<identifier>,"<topic>",<payload>. The payload runs to the end of
// the line, and quotes around all of it do not count; it is nil where none
// follows.
func Mail(text string) (client int, m Message, ok bool) {
	p := at.V250.Params(strings.TrimLeft(text, " "))
	var numbers [2]int
	for i := range numbers {
		a, err := p.Next()
		if numbers[i], ok = a.Int(); err != nil || !ok {
			return 0, Message{}, false
		}
	}
	topic, err := p.Next()
	if err != nil || topic.Kind != at.String {
		return 0, Message{}, false
	}
	m.Topic = topic.Text
	if p.More() {
		payload := p.Rest()
		if len(payload) >= 2 && payload[0] == '"' && payload[len(payload)-1] == '"' {
			payload = payload[1 : len(payload)-1]
		}
		m.Payload = []byte(payload)
	}
	return numbers[0], m, true
}
