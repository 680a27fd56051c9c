package ingest_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// patience is how long a test waits for bytes that have to come.
const patience = time.Minute

// A door admits everybody as lamp-1 and hands what he publishes to ingest.
type door struct {
	broker.OpenRules
	h *house
}

func (d door) Connect(context.Context, *packet.Connect, broker.Origin) (*broker.Grant, error) {
	return &broker.Grant{Session: subject(one).Session(), Identity: subject(one), MaxQoS: mqtt.AtLeastOnce}, nil
}

func (d door) Publish(c *broker.Client, p *packet.Publish) broker.Decision {
	return d.h.Publish(c, c.Identity().(*dialect.Subject), p)
}

// connect opens a connection through a real broker.
func (h *house) connect(v mqtt.Version) net.Conn {
	h.Helper()
	b, err := broker.New(broker.Options{Rules: door{h: h}})
	if err != nil {
		h.Fatal(err)
	}
	h.Sender = b
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- b.Serve(ctx, ln) }()
	go func() { ended <- b.Run(ctx) }()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		h.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(patience))
	h.Cleanup(func() {
		nc.Close()
		stop()
		for range 2 {
			if err := <-ended; err != nil {
				h.Error(err)
			}
		}
	})
	if v == mqtt.V5 {
		exchange(h, nc, "\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03l-1", "")
		read(h, nc) // CONNACK; its properties are the broker's affair
	} else {
		exchange(h, nc, "\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03l-1", "\x20\x02\x00\x00")
	}
	return nc
}

// exchange writes bytes and reads exactly those wanted.
func exchange(h *house, nc net.Conn, send, want string) {
	h.Helper()
	if _, err := io.WriteString(nc, send); err != nil {
		h.Fatal(err)
	}
	got := make([]byte, len(want))
	if n, err := io.ReadFull(nc, got); string(got) != want {
		h.Fatalf("got  %q, %v\nwant %q", got[:n], err, want)
	}
}

// read reads one short packet.
func read(h *house, nc net.Conn) []byte {
	h.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(nc, head); err != nil {
		h.Fatal(err)
	}
	body := make([]byte, head[1])
	if _, err := io.ReadFull(nc, body); err != nil {
		h.Fatal(err)
	}
	return append(head, body...)
}

// short is a report whose packets need one byte of length.
const short = `{"id":"7","params":{"Note":"x"}}`

// publication is short at QoS 1 with packet identifier 9, with properties of
// length 0 for 5.0.
func publication(v mqtt.Version) string {
	properties := ""
	if v == mqtt.V5 {
		properties = "\x00"
	}
	body := "\x00" + string(rune(len(post))) + post + "\x00\x09" + properties + short
	return "\x32" + string(rune(len(body))) + body
}

// TestOnTheWire: the reply and the acknowledgement reach the device, the reply
// first, at QoS 0 and though it never subscribed [aliyun-device §4.3].
func TestOnTheWire(t *testing.T) {
	h := newHouse(t)
	nc := h.connect(mqtt.V311)
	body := "\x00" + string(rune(len(post+"_reply"))) + post + "_reply" + answered
	reply := "\x30" + string([]byte{byte(len(body))&0x7f | 0x80, byte(len(body) >> 7)}) + body
	exchange(h, nc, publication(mqtt.V311), reply+"\x40\x02\x00\x09")
	if kept := h.log.Records(t); len(kept) != 1 {
		t.Errorf("%d records", len(kept))
	}
}

// TestNotKeptOnTheWire: a 3.1.1 device loses its connection without PUBACK, a
// 5.0 device reads 0x83 in it.
func TestNotKeptOnTheWire(t *testing.T) {
	t.Run("3.1.1", func(t *testing.T) {
		h := newHouse(t)
		h.log.Fail(errDisk)
		nc := h.connect(mqtt.V311)
		exchange(h, nc, publication(mqtt.V311), "")
		if rest, err := io.ReadAll(nc); len(rest) != 0 || err != nil {
			t.Errorf("%x %v", rest, err)
		}
	})
	t.Run("5.0", func(t *testing.T) {
		h := newHouse(t)
		h.log.Fail(errDisk)
		nc := h.connect(mqtt.V5)
		exchange(h, nc, publication(mqtt.V5), "")
		if got := string(read(h, nc)); got != "\x40\x04\x00\x09\x83\x00" && got != "\x40\x03\x00\x09\x83" {
			t.Errorf("%q", got)
		}
	})
}
