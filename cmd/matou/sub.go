package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

type subCmd struct {
	Filters []string `arg:"" optional:"" name:"filter" help:"Topic filters."`

	Topic   []string `short:"t" sep:"none" help:"Topic filter; may be given more than once." placeholder:"FILTER"`
	QoS     int      `short:"q" name:"qos" help:"Greatest quality of service: 0, 1 or 2." enum:"0,1,2" default:"0"`
	Count   int      `short:"C" help:"End after this many messages." placeholder:"N"`
	Timeout span     `short:"W" help:"End after this time; with --count that is a failure." placeholder:"TIME"`
	Verbose bool     `short:"v" help:"Print the topic before each message."`
	Hex     bool     `help:"Print messages in hex."`

	serverFlags
	sessionFlags
}

func (*subCmd) Help() string {
	return `Prints one message a line until it is interrupted. With --json each line is an
object with time, topic, qos, retain and payload (payloadHex where the payload
is not text). A connection that breaks is made again.

Examples:
  matou sub t/#
  matou sub -v -t 'a/+' -t b -q 1
  matou sub --url mqtts://broker.example.com --cafile ca.pem t/1 --json
  matou sub -C 1 -W 10s t/1
  matou sub -c -i desk t/1 -q 1
  matou sub --product-id VRqhDHF2wL --device-name my_tv --key KEY \
    -v -t '$sys/VRqhDHF2wL/my_tv/thing/property/set'`
}

func (c *subCmd) Run(g *globals) error {
	subs, err := c.subscriptions()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(g.Ctx)
	defer cancel()
	if c.Timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.Timeout))
		defer cancel()
	}
	p := &printer{out: g.Stdout, command: c, json: g.JSON, full: make(chan struct{})}
	s, err := connect(g, &c.serverFlags, &c.sessionFlags, func(o *client.Options) { o.OnMessage = p.print })
	if err != nil {
		return err
	}
	err = c.listen(ctx, g, s, p, subs)
	s.close()
	if err == nil {
		err = p.failed
	}
	return explain(err, &c.sessionFlags)
}

func (c *subCmd) subscriptions() (subs []packet.Subscription, err error) {
	filters := append(c.Topic, c.Filters...)
	if len(filters) == 0 {
		return nil, usagef("no topic filter: give --topic or an argument")
	}
	if c.Count < 0 {
		return nil, usagef("--count %d is below 0", c.Count)
	}
	for _, f := range filters {
		if err := mqtt.ValidFilter(f); err != nil {
			return nil, usagef("--topic %q: %w", f, err)
		}
		subs = append(subs, packet.Subscription{Filter: f, QoS: mqtt.QoS(c.QoS)})
	}
	return subs, nil
}

// listen subscribes and waits for the end: count, time, interrupt or a client
// that gave up.
func (c *subCmd) listen(ctx context.Context, g *globals, s *session, p *printer, subs []packet.Subscription) error {
	granted, err := s.Subscribe(ctx, nil, subs...)
	if granted == nil && err != nil {
		return c.end(ctx, g, err)
	}
	for i, r := range granted {
		if r.Failed() {
			fmt.Fprintf(g.Stderr, "matou: subscription to %s refused: %v\n", subs[i].Filter, r)
			continue
		}
		fmt.Fprintf(g.Stderr, "subscribed to %s at QoS %d\n", subs[i].Filter, r)
	}
	if err != nil {
		return exitCode(exitFailed)
	}
	select {
	case <-p.full:
		return nil
	case <-ctx.Done():
		return c.end(ctx, g, nil)
	case err := <-s.ended:
		s.ended <- nil
		return err
	}
}

// end says what the end of ctx means: an interrupt is what people do, and so
// is a time-out that does not wait for a number of messages.
func (c *subCmd) end(ctx context.Context, g *globals, err error) error {
	switch {
	case g.Ctx.Err() != nil:
		return nil
	case ctx.Err() == nil:
		return err
	case c.Count > 0 || err != nil:
		return fmt.Errorf("timed out after %v (--timeout)", time.Duration(c.Timeout))
	}
	return nil
}

// A printer prints messages until it has printed enough.
type printer struct {
	out     io.Writer
	command *subCmd
	json    bool
	printed int
	full    chan struct{} // closed when Count is reached or printing failed
	failed  error         // why printing failed; read after the client has ended
}

// A line is a message as sub --json prints it.
type line struct {
	Time           time.Time           `json:"time"`
	Topic          string              `json:"topic"`
	QoS            mqtt.QoS            `json:"qos"`
	Retain         bool                `json:"retain"`
	Payload        *string             `json:"payload,omitempty"`
	PayloadHex     string              `json:"payloadHex,omitempty"`
	ContentType    string              `json:"contentType,omitempty"`
	ResponseTopic  string              `json:"responseTopic,omitempty"`
	Correlation    string              `json:"correlationHex,omitempty"`
	Expiry         *uint32             `json:"expirySeconds,omitempty"`
	UserProperties []map[string]string `json:"userProperties,omitempty"`
}

func (p *printer) print(_ context.Context, m client.Message) {
	if p.failed != nil || p.command.Count > 0 && p.printed == p.command.Count {
		return
	}
	_, p.failed = p.out.Write(p.line(m))
	p.printed++
	if p.failed != nil || p.printed == p.command.Count {
		close(p.full)
	}
}

func (p *printer) line(m client.Message) []byte {
	var b bytes.Buffer
	if p.json {
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.Encode(p.describe(m)) // of strings and numbers: cannot fail
		return b.Bytes()
	}
	if p.command.Verbose {
		b.WriteString(m.Topic + " ")
	}
	if p.command.Hex {
		b.WriteString(hex.EncodeToString(m.Payload))
	} else {
		b.Write(m.Payload)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func (p *printer) describe(m client.Message) *line {
	l := &line{Time: time.Now().UTC().Truncate(time.Millisecond), Topic: m.Topic, QoS: m.QoS, Retain: m.Retain}
	if p.command.Hex || !utf8.Valid(m.Payload) {
		l.PayloadHex = hex.EncodeToString(m.Payload)
	} else {
		text := string(m.Payload)
		l.Payload = &text
	}
	if q := m.Properties; q != nil {
		l.ContentType, l.ResponseTopic, l.Expiry = q.ContentType, q.ResponseTopic, q.MessageExpiry
		l.Correlation = hex.EncodeToString(q.CorrelationData)
		for _, u := range q.UserProperties {
			l.UserProperties = append(l.UserProperties, map[string]string{u.Name: u.Value})
		}
	}
	return l
}
