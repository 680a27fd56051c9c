package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A cloud answers many devices at once, as well or as badly as a test wants.
type cloud struct {
	t    *testing.T
	ln   net.Listener
	wait sync.WaitGroup

	refuse  func(client string) byte            // the return code, 0 for welcome
	reply   func(topic string, n int) string    // to the n-th post: code and what follows, "" for no reply
	after   func(n int) (topic, payload string) // said after the n-th post
	silence bool                                // no PUBACK either
	five    packet.Properties                   // of a CONNACK to MQTT 5
	puback  mqtt.ReasonCode                     // to MQTT 5
	bye     mqtt.ReasonCode                     // to MQTT 5, in a DISCONNECT after the first post

	mu       sync.Mutex
	n        int
	events   int
	logins   int            // of sub-devices
	versions map[string]int // connections
	connects int
	heard    map[string]int // messages by topic
	payloads []string
}

func newCloud(t *testing.T) *cloud {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{t: t, ln: ln, heard: map[string]int{}, versions: map[string]int{}}
	c.reply = func(string, int) string { return `"code":200,"data":{}` }
	c.wait.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			c.wait.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		c.wait.Wait()
	})
	return c
}

func (c *cloud) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", c.ln.Addr().String())
}

func (c *cloud) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	v := mqtt.V311
	write := func(p packet.Packet) {
		b, _ := p.Append(nil, v)
		conn.Write(b)
	}
	for {
		p, err := readPacket(r, v)
		if err != nil {
			return
		}
		switch p := p.(type) {
		case *packet.Connect:
			v = p.Version
			var code byte
			if c.refuse != nil {
				code = c.refuse(p.Username)
			}
			if v == mqtt.V5 {
				write(&packet.Connack{Properties: &c.five})
			} else {
				conn.Write([]byte{0x20, 2, 0, code})
			}
			if code != 0 {
				return
			}
			c.mu.Lock()
			c.connects++
			c.versions[v.String()]++
			c.mu.Unlock()
		case *packet.Subscribe:
			write(&packet.Suback{ID: p.ID, Reasons: make([]mqtt.ReasonCode, len(p.Subscriptions))})
		case *packet.Pingreq:
			conn.Write([]byte{0xD0, 0})
		case *packet.Disconnect:
			return
		case *packet.Publish:
			conn.Write(c.answer(p, v))
			if c.bye != 0 {
				write(&packet.Disconnect{Reason: c.bye})
				return
			}
		}
	}
}

// answer is what is said to a message.
func (c *cloud) answer(p *packet.Publish, v mqtt.Version) (b []byte) {
	c.mu.Lock()
	c.n++
	n := c.n
	topic := string(p.Topic)
	c.heard[topic[strings.LastIndex(topic, "/")+1:]]++
	c.payloads = append(c.payloads, string(p.Payload))
	c.mu.Unlock()
	if c.silence {
		return nil
	}
	ack := &packet.Puback{ID: p.ID}
	if v == mqtt.V5 {
		ack.Reason = c.puback
	}
	b, _ = ack.Append(b, v)
	var msg struct{ ID string }
	json.Unmarshal(p.Payload, &msg)
	if strings.Contains(topic, "/thing/event/") && !strings.HasSuffix(topic, "property/post") {
		c.mu.Lock()
		c.events++
		c.mu.Unlock()
	}
	if strings.HasSuffix(topic, "/combine/login") || strings.HasSuffix(topic, "/sub/login") {
		c.mu.Lock()
		c.logins++
		c.mu.Unlock()
	}
	wants := func(suffix string) bool { return strings.HasSuffix(topic, suffix) }
	if code := c.reply(topic, n); code != "" && slices.ContainsFunc([]string{"/post", "/topo/add", "/login"}, wants) {
		on := topic + "_reply"
		if strings.HasPrefix(topic, "$sys") {
			on = topic + "/reply"
		}
		b, _ = (&packet.Publish{Topic: []byte(on), Payload: []byte(`{"id":"` + msg.ID + `",` + code + `}`)}).Append(b, v)
	}
	if c.after != nil {
		if topic, payload := c.after(n); topic != "" {
			b, _ = (&packet.Publish{QoS: 1, ID: uint16(n), Topic: []byte(topic), Payload: []byte(payload)}).Append(b, v)
		}
	}
	return b
}

func readPacket(r *bufio.Reader, v mqtt.Version) (packet.Packet, error) {
	var b []byte
	h, err := packet.Header{}, error(packet.ErrIncomplete)
	for errors.Is(err, packet.ErrIncomplete) {
		x, readErr := r.ReadByte()
		if readErr != nil {
			return nil, readErr
		}
		b = append(b, x)
		h, err = packet.ParseHeader(b)
	}
	if err != nil {
		return nil, err
	}
	body := make([]byte, h.Remaining)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	return packet.Decode(h, body, v)
}
