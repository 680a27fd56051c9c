package broker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	pahoold "github.com/eclipse/paho.mqtt.golang"

	"github.com/matou-iot/matou/internal/broker"
)

// Clients that nobody here wrote.

func TestPaho3(t *testing.T) {
	h, config, _ := secure(t)
	for _, tt := range []struct {
		url     string
		version uint
	}{
		{"tcp://" + h.addr, 3},
		{"tcp://" + h.addr, 4},
		{"ssl://" + h.addr, 4},
		{"ws://" + h.addr + "/mqtt", 4},
		{"wss://" + h.addr + "/mqtt", 4},
	} {
		for qos := range byte(3) {
			t.Run(fmt.Sprintf("%s level %d QoS %d", tt.url, tt.version, qos), func(t *testing.T) {
				done := func(token pahoold.Token) {
					t.Helper()
					if !token.WaitTimeout(patience) || token.Error() != nil {
						t.Fatalf("paho: %v", token.Error())
					}
				}
				o := pahoold.NewClientOptions().AddBroker(tt.url).SetClientID("paho").SetProtocolVersion(tt.version).
					SetTLSConfig(config).SetAutoReconnect(false).SetCleanSession(true)
				c := pahoold.NewClient(o)
				done(c.Connect())
				defer c.Disconnect(0)
				got := make(chan pahoold.Message, 10)
				done(c.Subscribe("t/+", qos, func(_ pahoold.Client, m pahoold.Message) { got <- m }))
				for i := range 10 {
					done(c.Publish(fmt.Sprint("t/", i), qos, false, fmt.Sprint("message ", i)))
				}
				for i := range 10 {
					select {
					case m := <-got:
						if string(m.Payload()) != fmt.Sprint("message ", i) || m.Qos() != qos || m.Topic() != fmt.Sprint("t/", i) {
							t.Errorf("message %d: %s %q QoS %d", i, m.Topic(), m.Payload(), m.Qos())
						}
					case <-time.After(patience):
						t.Fatalf("message %d did not come", i)
					}
				}
				done(c.Unsubscribe("t/+"))
			})
		}
	}
}

func TestPaho3ComesBackToItsMessages(t *testing.T) {
	h := serve(t, broker.Options{})
	got := make(chan string, 10)
	options := func() *pahoold.ClientOptions {
		return pahoold.NewClientOptions().AddBroker("tcp://" + h.addr).SetClientID("paho").SetCleanSession(false).SetAutoReconnect(false).
			SetDefaultPublishHandler(func(_ pahoold.Client, m pahoold.Message) { got <- string(m.Payload()) })
	}
	c := pahoold.NewClient(options())
	if token := c.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	if token := c.Subscribe("t", 2, nil); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	c.Disconnect(0)
	for h.Online("paho") {
	}
	for i := range 5 {
		h.Publish(broker.Message{Topic: "t", Payload: fmt.Append(nil, i), QoS: 2})
	}
	c = pahoold.NewClient(options())
	if token := c.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer c.Disconnect(0)
	for i := range 5 {
		select {
		case m := <-got:
			if m != fmt.Sprint(i) {
				t.Errorf("got %s, want %d", m, i)
			}
		case <-time.After(patience):
			t.Fatalf("message %d did not come", i)
		}
	}
}

func TestPaho5(t *testing.T) {
	h := serve(t, broker.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got := make(chan *paho.Publish, 10)
	c := paho.NewClient(paho.ClientConfig{
		Conn:              h.dial().Conn,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) { got <- p.Packet; return true, nil }},
	})
	ack, err := c.Connect(ctx, &paho.Connect{ClientID: "", CleanStart: true, KeepAlive: 30})
	if err != nil {
		t.Fatal(err)
	}
	if ack.Properties.AssignedClientID == "" || *ack.Properties.ReceiveMaximum != 1024 {
		t.Errorf("CONNACK %+v", ack.Properties)
	}
	id := 7
	if _, err := c.Subscribe(ctx, &paho.Subscribe{
		Subscriptions: []paho.SubscribeOptions{{Topic: "t/#", QoS: 2}},
		Properties:    &paho.SubscribeProperties{SubscriptionIdentifier: &id},
	}); err != nil {
		t.Fatal(err)
	}
	for qos := range byte(3) {
		res, err := c.Publish(ctx, &paho.Publish{Topic: "t/x", QoS: qos, Payload: []byte{qos}, Properties: &paho.PublishProperties{
			ResponseTopic: "answer", CorrelationData: []byte("7"), ContentType: "text", User: paho.UserProperties{{Key: "k", Value: "v"}},
		}})
		if err != nil {
			t.Fatalf("QoS %d: %v, %+v", qos, err, res)
		}
		select {
		case p := <-got:
			if p.QoS != qos || p.Properties.ResponseTopic != "answer" || string(p.Properties.CorrelationData) != "7" || p.Properties.User.Get("k") != "v" || *p.Properties.SubscriptionIdentifier != 7 {
				t.Errorf("QoS %d: %+v %+v", qos, p, p.Properties)
			}
		case <-ctx.Done():
			t.Fatalf("QoS %d did not come", qos)
		}
	}
	if _, err := c.Unsubscribe(ctx, &paho.Unsubscribe{Topics: []string{"t/#"}}); err != nil {
		t.Error(err)
	}
	if err := c.Disconnect(&paho.Disconnect{}); err != nil {
		t.Error(err)
	}
}
