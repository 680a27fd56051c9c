package app

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

// A screen tells in the terminal what the demo's devices do.
type screen struct {
	app      *App
	products []demoProduct
	out      io.Writer
}

func newScreen(a *App, products []demoProduct) *screen {
	return &screen{a, products, a.out}
}

// invite shows all that somebody needs to be the free device.
func (s *screen) invite(ctx context.Context, p *demoProduct) error {
	c, secret, err := s.app.freeCredentials(ctx, p)
	if err != nil {
		return err
	}
	hello := packet.Connect{
		Version: mqtt.V311, CleanStart: true, KeepAlive: 300, ClientID: c.ClientID,
		HasUsername: true, Username: c.Username, HasPassword: true, Password: []byte(c.Password),
	}
	connect, err := hello.Append(nil, mqtt.V311)
	if err != nil {
		return err
	}
	report := packet.Publish{Topic: []byte(p.topic), Payload: []byte(p.payload)}
	publish, err := report.Append(nil, mqtt.V311)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, `── %s: be the device 你来当设备 %s/%s ──
  host 地址    %s   port 端口 %d
  %s
  clientId     %s
  username     %s
  password     %s
  topic        %s
  payload      %s
  one line     mosquitto_pub -h %s -p %d -i '%s' -u '%s' -P '%s' -t '%s' -m '%s'
  as bytes     an ESP8266: AT+CIPSTART="TCP","%s",%d, then AT+CIPSEND with each length and its bytes
    AT+CIPSEND=%-4d CONNECT %s
    AT+CIPSEND=%-4d PUBLISH %s

`,
		p.product.Name, p.product.Key, p.free, c.Host, c.Port, p.triple(secret), c.ClientID, c.Username, c.Password, p.topic, p.payload,
		c.Host, c.Port, c.ClientID, c.Username, c.Password, p.topic, p.payload,
		c.Host, c.Port, len(connect), hex.EncodeToString(connect), len(publish), hex.EncodeToString(publish))
	return nil
}

// run prints what happens until ctx is done.
func (s *screen) run(ctx context.Context) error {
	fmt.Fprintln(s.out, "── live 实时 ──")
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		live := s.app.feed.Subscribe(ctx, func(r *record.Record) bool { return s.ours(r.Product) })
		for r := range live.C {
			if text := s.tell(&r); text != "" {
				s.line(r.Time, r.Device, text)
			}
		}
		return nil
	})
	for i := range s.products {
		g.Go(func() error {
			p := &s.products[i]
			for e := range s.app.timeline.Watch(ctx, p.product.Key, p.free) {
				if e.Kind == trace.Refuse || e.Kind == trace.Fault || e.Kind == trace.Note {
					s.line(e.At, e.Device, "! "+e.Sentence+" · "+e.SentenceZH)
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func (s *screen) ours(product string) bool {
	for i := range s.products {
		if s.products[i].product.Key == product {
			return true
		}
	}
	return false
}

func (s *screen) line(at time.Time, device, text string) {
	fmt.Fprintf(s.out, "  %s  %-10s %s\n", at.Local().Format(time.TimeOnly), device, text)
}

// tell says a record in one line.
func (s *screen) tell(r *record.Record) string {
	switch r.Kind {
	case record.PropertyReport:
		report, err := record.DecodeReport(r.Body)
		if err != nil {
			return ""
		}
		words := make([]string, len(report))
		for i, p := range report {
			words[i] = s.value(r.Product, p)
		}
		return strings.Join(words, "   ")
	case record.EventReport:
		if e, err := record.DecodeEvent(r.Body); err == nil {
			return "event 事件 " + e.Event + " " + e.Output
		}
	case record.CommandSent, record.CommandDone:
		if c, err := record.DecodeCommand(r.Body); err == nil {
			return "← " + c.Kind + " " + c.Service + c.Input + " " + c.State
		}
	case record.StatusChange:
		if string(r.Body) == registry.Online.String() {
			return "online 上线"
		}
		return "offline 下线"
	}
	return ""
}

// value is a property as people say it: name, value, unit; a switch in the
// words of its model.
func (s *screen) value(product string, p record.Point) string {
	known, err := s.app.registry.Product(context.Background(), product)
	if err != nil {
		return p.Property + " " + p.Value.String()
	}
	property, ok := known.Model.Property(p.Property)
	if !ok {
		return p.Property + " " + p.Value.String()
	}
	text := p.Value.String()
	if p.Value.Shape == thing.Boolean {
		text = switchText(property.Type.Labels, p.Value.Bool)
	}
	if property.Type.Unit != "" {
		text += " " + property.Type.Unit
	}
	return property.Name + " " + p.Property + " " + text
}

func switchText(labels []thing.Label, on bool) string {
	for _, l := range labels {
		if (l.Value != 0) == on {
			return l.Text
		}
	}
	if on {
		return "on"
	}
	return "off"
}

// hostPort is where a listener can be reached from this machine.
func hostPort(ln net.Listener) (string, int) {
	host, _, _ := net.SplitHostPort(reachable(ln))
	return host, port(ln)
}
