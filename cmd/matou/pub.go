package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

type pubCmd struct {
	Args []string `arg:"" optional:"" name:"topic-and-message" help:"Topic, unless --topic says it, and message; the message - is standard input."`

	messageFlags
	File  string `short:"f" xor:"message" help:"Send a file as the message." placeholder:"FILE"`
	Lines bool   `short:"l" xor:"message" help:"Send each line of standard input as a message."`

	serverFlags
	sessionFlags
}

// messageFlags say what a PUBLISH carries; packet build has them too.
type messageFlags struct {
	Topic   string  `short:"t" help:"Topic to publish to." placeholder:"TOPIC"`
	Message *string `short:"m" xor:"message" help:"Message to publish." placeholder:"TEXT"`
	QoS     int     `short:"q" name:"qos" help:"Quality of service: 0, 1 or 2." enum:"0,1,2" default:"0"`
	Retain  bool    `short:"r" help:"The server keeps the message for later subscribers."`

	UserProperty  []string `group:"MQTT 5" sep:"none" help:"User property name=value; may be given more than once." placeholder:"NAME=VALUE"`
	Expiry        span     `group:"MQTT 5" help:"How long the message is worth delivering." placeholder:"TIME"`
	ContentType   string   `group:"MQTT 5" help:"Content type of the message." placeholder:"TYPE"`
	ResponseTopic string   `group:"MQTT 5" help:"Where to answer." placeholder:"TOPIC"`
}

func (*pubCmd) Help() string {
	return `Waits for the acknowledgement at QoS 1 and 2. A login is plain (--username,
--password) or signed from a device's secret.

Examples:
  matou pub t/1 hi
  matou pub -t t/1 -m hi -q 1 --retain
  matou pub --url wss://broker.example.com/mqtt -t t/1 -f photo.jpg
  date | matou pub t/1 -
  tail -f log | matou pub -t log -l
  matou pub --version 5 --user-property unit=C --expiry 60s t/1 21.5
  matou pub --product-key a1NightLamp --device-name lamp01 --device-secret SECRET \
    -t /sys/a1NightLamp/lamp01/thing/event/property/post \
    -m '{"id":"1","params":{"CurrentTemperature":21.5}}'`
}

func (c *pubCmd) Run(g *globals) error {
	if err := c.arguments(); err != nil {
		return err
	}
	m, err := c.message(c.version())
	if err != nil {
		return err
	}
	var whole []byte
	if !c.Lines { // read before connecting: a missing file needs no server
		if whole, err = c.payload(g.Stdin); err != nil {
			return err
		}
	}
	s, err := connect(g, &c.serverFlags, &c.sessionFlags, nil)
	if err != nil {
		return err
	}
	sent, err := c.send(g.Ctx, s, m, whole, g.Stdin)
	if ended := s.close(); errors.Is(err, client.ErrStopped) && ended != nil {
		err = ended // why the client stopped says more than that it did
	}
	if err != nil {
		return explain(err, &c.sessionFlags)
	}
	return g.emit(sent, func(io.Writer) {})
}

// arguments sorts what came without a flag.
func (c *pubCmd) arguments() error {
	rest := c.Args
	if c.Topic == "" && len(rest) > 0 {
		c.Topic, rest = rest[0], rest[1:]
	}
	if len(rest) > 0 && c.Message == nil && c.File == "" && !c.Lines {
		c.Message, rest = &rest[0], rest[1:]
		if *c.Message == "-" {
			c.Message, c.File = nil, "-"
		}
	}
	switch {
	case c.Topic == "":
		return usagef("no topic: give --topic, or topic and message")
	case len(rest) > 0:
		return usagef("unexpected argument %q", rest[0])
	case c.Message == nil && c.File == "" && !c.Lines:
		return usagef("no message: give --message, --file, --lines or - for standard input")
	}
	return nil
}

// message is what the flags say, without its payload.
func (f *messageFlags) message(v mqtt.Version) (client.Message, error) {
	m := client.Message{Topic: f.Topic, QoS: mqtt.QoS(f.QoS), Retain: f.Retain}
	if err := mqtt.ValidTopicName(f.Topic); err != nil {
		return m, usagef("--topic: %w", err)
	}
	users, err := userProperties(f.UserProperty)
	if err != nil {
		return m, err
	}
	if len(users) == 0 && f.Expiry == 0 && f.ContentType == "" && f.ResponseTopic == "" {
		return m, nil
	}
	if v != mqtt.V5 {
		return m, usagef("--user-property, --expiry, --content-type and --response-topic need --version 5")
	}
	m.Properties = &packet.Properties{UserProperties: users, ContentType: f.ContentType, ResponseTopic: f.ResponseTopic}
	if f.Expiry != 0 {
		seconds := f.Expiry.seconds()
		m.Properties.MessageExpiry = &seconds
	}
	return m, nil
}

func (c *pubCmd) payload(stdin io.Reader) ([]byte, error) {
	if c.Message != nil {
		return []byte(*c.Message), nil
	}
	return readAll(c.File, stdin)
}

// readAll reads a file, or standard input for "-", up to the largest packet.
func readAll(name string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, packet.MaxRemainingLength+1))
	if err == nil && len(b) > packet.MaxRemainingLength {
		err = fmt.Errorf("%s is longer than an MQTT packet can be", name)
	}
	return b, err
}

// maxLine is the longest line that --lines takes.
const maxLine = 1 << 20

// A pubResult is what pub says in JSON.
type pubResult struct {
	Topic    string `json:"topic"`
	QoS      int    `json:"qos"`
	Messages int    `json:"messages"`
	Bytes    int    `json:"bytes"` // of all payloads
}

func (c *pubCmd) send(ctx context.Context, s *session, m client.Message, whole []byte, stdin io.Reader) (*pubResult, error) {
	r := &pubResult{Topic: m.Topic, QoS: int(m.QoS)}
	one := func(payload []byte) error {
		m.Payload = payload
		if err := s.Publish(ctx, m); err != nil {
			return err
		}
		r.Messages++
		r.Bytes += len(payload)
		return nil
	}
	if !c.Lines {
		return r, one(whole)
	}
	lines := bufio.NewScanner(stdin)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if err := one([]byte(lines.Text())); err != nil {
			return r, err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return r, fmt.Errorf("--lines: a line is longer than %d bytes", maxLine)
	}
	return r, lines.Err()
}
