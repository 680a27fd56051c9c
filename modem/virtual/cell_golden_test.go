package virtual

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/at/transcript"
	"github.com/matou-iot/matou/modem/modemtest"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// TestGoldenCellular plays the host of every recorded conversation against the
// virtual modules of the cellular family, and wants every byte.
func TestGoldenCellular(t *testing.T) {
	for _, model := range []string{"ec20", "nt35e"} {
		files, err := filepath.Glob("../testdata/" + model + "/*.at")
		if err != nil || len(files) < 5 {
			t.Fatalf("%d conversations with %s, %v", len(files), model, err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".at")
			t.Run(model+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o := Options{Model: model}
					if name == "boot-without-sim" {
						o.Faults = []Fault{{Name: faultNoSIM}}
					}
					b := cellPower(t, o)
					if !strings.HasPrefix(name, "boot") {
						b.registered()
					}
					b.play(file, transcript.Player{As: transcript.Host})
				})
			})
		}
	}
}

// cellPower gives power to a cellular module inside a synctest bubble, in a
// world with a cloud.
func cellPower(t *testing.T, o Options) *bench {
	t.Helper()
	if o.Network == nil {
		o.Network = cellWorld()
	}
	o.Now = func() time.Time { return time.Date(2025, 1, 15, 6, 15, 27, 0, time.UTC) }
	return start(t, o)
}

// registered waits until the module has started and the network has taken it.
func (b *bench) registered() {
	b.Helper()
	if b.Model().Name == "ec20" {
		b.until("\r\n+QIND: PB DONE\r\n")
		return
	}
	b.until("\r\nRDY\r\n")
	// Nothing is said when the network is found: the time it takes has to pass.
	time.Sleep(5 * time.Second) // of the bubble's clock
}

// cellWorld has the peers that the conversations speak of.
func cellWorld() *world {
	w := newWorld()
	for _, host := range []string{"broker.example:1883", "iot-as-mqtt.cn-shanghai.aliyuncs.com:1883", "a1b2c3d4e5f.iot-as-mqtt.cn-shanghai.aliyuncs.com:1883"} {
		w.Put(host, func(c net.Conn) { new(cloud).serve(c) })
	}
	w.Put("echo.example:7", echoUntilBye)
	w.Put("refused.example:1", func(net.Conn) {}) // the host exists, its other ports are shut
	return w
}

// echoUntilBye sends back what it gets and hangs up after "bye".
func echoUntilBye(c net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil || string(buf[:n]) == "bye" {
			return
		}
		c.Write(buf[:n])
	}
}

// A cloud is an MQTT server with one client: it sends back what is published
// to a topic that was subscribed to, says hello on topics that end with
// /user/get, grants QoS 1 at most as Aliyun does, refuses logins whose client
// id is refused-N with code N, and hangs up on a message to "hang-up".
type cloud struct {
	subs   map[string]mqtt.QoS
	lastID uint16
	login  func(*packet.Connect) // is told of the login; may be nil
	mute   bool                  // acknowledges nothing but logins
}

func (s *cloud) serve(c net.Conn) {
	s.subs = make(map[string]mqtt.QoS)
	for {
		p, err := modemtest.ReadPacket(c)
		if err != nil {
			return
		}
		answers, ok := s.answer(p)
		for _, a := range answers {
			b, err := a.Append(nil, mqtt.V311)
			if err != nil {
				panic(err)
			}
			c.Write(b)
		}
		if !ok {
			return
		}
	}
}

// answer returns what the server says to a packet, and whether it stays.
func (s *cloud) answer(p packet.Packet) (answers []packet.Packet, ok bool) {
	if _, login := p.(*packet.Connect); s.mute && !login {
		return nil, true
	}
	switch p := p.(type) {
	case *packet.Connect:
		if s.login != nil {
			s.login(p)
		}
		var code byte
		if n, _ := fmt.Sscanf(p.ClientID, "refused-%d", &code); n == 1 {
			return []packet.Packet{&packet.Connack{Reason: packet.ReasonOf(code)}}, false
		}
		return []packet.Packet{&packet.Connack{}}, true
	case *packet.Subscribe:
		a := &packet.Suback{ID: p.ID}
		answers = append(answers, a)
		for _, f := range p.Subscriptions {
			if f.Filter == "forbidden" {
				a.Reasons = append(a.Reasons, mqtt.UnspecifiedError)
				continue
			}
			granted := min(f.QoS, mqtt.AtLeastOnce)
			s.subs[f.Filter] = granted
			a.Reasons = append(a.Reasons, mqtt.ReasonCode(granted))
			if strings.HasSuffix(f.Filter, "/user/get") {
				answers = append(answers, &packet.Publish{Topic: []byte(f.Filter), Payload: []byte("hello")})
			}
		}
		return answers, true
	case *packet.Unsubscribe:
		for _, f := range p.Filters {
			delete(s.subs, f)
		}
		return []packet.Packet{&packet.Unsuback{ID: p.ID}}, true
	case *packet.Pingreq:
		return []packet.Packet{&packet.Pingresp{}}, true
	case *packet.Publish:
		switch p.QoS {
		case mqtt.AtLeastOnce:
			answers = append(answers, &packet.Puback{ID: p.ID})
		case mqtt.ExactlyOnce:
			answers = append(answers, &packet.Pubrec{ID: p.ID})
		}
		if granted, ok := s.subs[string(p.Topic)]; ok {
			back := &packet.Publish{Topic: p.Topic, Payload: p.Payload, QoS: min(granted, p.QoS)}
			if back.QoS > 0 {
				s.lastID++
				back.ID = s.lastID
			}
			answers = append(answers, back)
		}
		return answers, string(p.Topic) != "hang-up"
	case *packet.Pubrel:
		return []packet.Packet{&packet.Pubcomp{ID: p.ID}}, true
	case *packet.Disconnect:
		return nil, false
	}
	return nil, true
}
