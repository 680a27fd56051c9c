package test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	paho5 "github.com/eclipse/paho.golang/paho"
	paho "github.com/eclipse/paho.mqtt.golang"
)

// One story for every client that nobody here wrote: log in signed, post,
// hear the reply, obey a set, be found in history.

const lampPost = "/sys/" + lampProduct + "/" + lampName + "/thing/event/property/post"

const lampReply = `{"code":200,"data":{},"id":"1","message":"success","method":"thing.event.property.post","version":"1.0"}`

// setLamp switches the light on and returns what became of the command.
func (m *matou) setLamp() <-chan object {
	done := make(chan object, 1)
	go func() {
		_, raw := m.call("POST", "/products/"+lampProduct+"/devices/"+lampName+"/properties", object{"values": object{"NightLightSwitch": 1}, "wait": "15s"})
		var c object
		json.Unmarshal(raw, &c)
		done <- c
	}()
	return done
}

// answer is what a device says to a set.
func answer(t *testing.T, set []byte) string {
	t.Helper()
	var request struct {
		ID     string
		Params map[string]any
	}
	if err := json.Unmarshal(set, &request); err != nil {
		t.Errorf("%v in %s", err, set)
	}
	if request.Params["NightLightSwitch"] != 1.0 {
		t.Errorf("the set is %s", set)
	}
	return fmt.Sprintf(`{"id":"%s","code":200,"data":{}}`, request.ID)
}

func (m *matou) lampObeyed(done <-chan object) {
	m.t.Helper()
	if c := <-done; c["state"] != "acknowledged" {
		m.t.Errorf("the set became %v", c)
	}
	if got := m.history(lampProduct, lampName, "CurrentTemperature"); len(got) != 1 || got[0] != "23.5" {
		m.t.Errorf("history %v", got)
	}
}

func TestPahoV3Client(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	id, user, pass := aliyunLogin(lampProduct, lampName, lampSecret)
	replies, sets := make(chan string, 10), make(chan []byte, 10)
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + m.device).SetClientID(id).SetUsername(user).SetPassword(pass).
		SetDefaultPublishHandler(func(_ paho.Client, p paho.Message) {
			switch {
			case strings.HasSuffix(p.Topic(), "/post_reply"):
				replies <- string(p.Payload())
			case strings.HasSuffix(p.Topic(), "/property/set"):
				sets <- p.Payload()
			}
		}))
	wait(t, c.Connect())
	defer c.Disconnect(100)
	wait(t, c.Publish(lampPost, 1, false, `{"id":"1","params":{"CurrentTemperature":23.5}}`))
	if got := receive(t, replies); got != lampReply {
		t.Errorf("reply %s", got)
	}
	done := m.setLamp()
	wait(t, c.Publish("/sys/"+lampProduct+"/"+lampName+"/thing/service/property/set_reply", 0, false, answer(t, receive(t, sets))))
	m.lampObeyed(done)
}

func TestPahoV5Client(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	id, user, pass := aliyunLogin(lampProduct, lampName, lampSecret)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	replies, sets := make(chan string, 10), make(chan []byte, 10)
	u, _ := url.Parse("mqtt://" + m.device)
	c, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls: []*url.URL{u}, KeepAlive: 60, ConnectUsername: user, ConnectPassword: []byte(pass),
		ClientConfig: paho5.ClientConfig{ClientID: id, OnPublishReceived: []func(paho5.PublishReceived) (bool, error){
			func(p paho5.PublishReceived) (bool, error) {
				switch {
				case strings.HasSuffix(p.Packet.Topic, "/post_reply"):
					replies <- string(p.Packet.Payload)
				case strings.HasSuffix(p.Packet.Topic, "/property/set"):
					sets <- p.Packet.Payload
				}
				return true, nil
			}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AwaitConnection(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Publish(ctx, &paho5.Publish{QoS: 1, Topic: lampPost, Payload: []byte(`{"id":"1","params":{"CurrentTemperature":23.5}}`)}); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, replies); got != lampReply {
		t.Errorf("reply %s", got)
	}
	done := m.setLamp()
	reply := answer(t, receive(t, sets))
	if _, err := c.Publish(ctx, &paho5.Publish{QoS: 1, Topic: "/sys/" + lampProduct + "/" + lampName + "/thing/service/property/set_reply", Payload: []byte(reply)}); err != nil {
		t.Fatal(err)
	}
	m.lampObeyed(done)
	if err := c.Disconnect(ctx); err != nil {
		t.Error(err)
	}
}

func TestPahoV3ClientOfOneNET(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("lenient")
	replies := make(chan string, 10)
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + m.device).SetClientID(sensorName).SetUsername(sensorProduct).
		SetPassword(onenetToken(sensorProduct, sensorName, sensorKey, 4102444800)))
	wait(t, c.Connect())
	defer c.Disconnect(100)
	base := "$sys/" + sensorProduct + "/" + sensorName + "/thing/"
	// Subscribed to everything below thing/, a device never hears itself.
	wait(t, c.Subscribe(base+"#", 0, func(_ paho.Client, p paho.Message) { replies <- p.Topic() + " " + string(p.Payload()) }))
	wait(t, c.Publish(base+"property/post", 1, false, `{"id":"123","version":"1.0","params":{"wendu":{"value":21.1}}}`))
	if got, want := receive(t, replies), base+`property/post/reply {"id":"123","code":200,"msg":"success"}`; got != want {
		t.Errorf("heard %s, want %s", got, want)
	}
	wait(t, c.Publish(base+"property/post", 1, false, `{"id":"124","version":"1.0","params":{"Wendu":{"value":21.1}}}`))
	if got, want := receive(t, replies), `"code":2306`; !strings.Contains(got, want) {
		t.Errorf("heard %s, want %s", got, want)
	}
	if got := m.history(sensorProduct, sensorName, "wendu"); len(got) != 1 || got[0] != "21.1" {
		t.Errorf("history %v", got)
	}
}

func TestMosquittoClients(t *testing.T) {
	need(t, "mosquitto_pub")
	need(t, "mosquitto_sub")
	for _, version := range []string{"mqttv31", "mqttv311", "mqttv5"} {
		t.Run(version, func(t *testing.T) {
			m := start(t, t.TempDir())
			m.lamp()
			id, user, pass := aliyunLogin(lampProduct, lampName, lampSecret)
			login := []string{"-h", "127.0.0.1", "-p", m.port, "-V", version, "-i", id, "-u", user, "-P", pass}
			run(t, "mosquitto_pub", append(login, "-q", "1", "-t", lampPost, "-m", `{"id":"1","params":{"CurrentTemperature":23.5}}`)...)
			m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "23.5")
			// The light is a subscriber that hears the set; its answer is the next post.
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			sub := exec.CommandContext(ctx, "mosquitto_sub", append(login, "-C", "1", "-t", "/sys/"+lampProduct+"/"+lampName+"/thing/service/property/set")...)
			var heard buffer
			sub.Stdout = &heard
			if err := sub.Start(); err != nil {
				t.Fatal(err)
			}
			m.awaitEntry(lampProduct, lampName, "the subscription", func(e entry) bool { return e.Kind == "subscribe" })
			done := m.setLamp()
			if err := sub.Wait(); err != nil {
				t.Fatalf("mosquitto_sub: %v", err)
			}
			reply := answer(t, []byte(strings.TrimSpace(heard.String())))
			run(t, "mosquitto_pub", append(login, "-q", "1", "-t", "/sys/"+lampProduct+"/"+lampName+"/thing/service/property/set_reply", "-m", reply)...)
			m.lampObeyed(done)
		})
	}
}

func TestNodeDeviceSDK(t *testing.T) { nodeStory(t, "aliyun-sdk.js") }

func TestMQTTjsOverWebSocket(t *testing.T) { nodeStory(t, "mqttjs-ws.js") }

// nodeStory runs a script of test/node, which plays the device and exits 0
// when it posted, heard the reply and obeyed a set.
func nodeStory(t *testing.T, script string) {
	need(t, "node")
	if _, err := os.Stat(filepath.Join("node", "node_modules")); err != nil {
		t.Skip("SKIPPED: test/node/node_modules is missing; run test/prepare")
	}
	m := start(t, t.TempDir())
	m.lamp()
	id, user, pass := aliyunLogin(lampProduct, lampName, lampSecret)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), "HOST=127.0.0.1", "PORT="+m.port, "PRODUCT_KEY="+lampProduct, "DEVICE_NAME="+lampName,
		"DEVICE_SECRET="+lampSecret, "CLIENT_ID="+id, "MQTT_USERNAME="+user, "MQTT_PASSWORD="+pass)
	var out buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m.await("the script to be ready", func() bool { return strings.Contains(out.String(), "READY") || cmd.ProcessState != nil })
	done := m.setLamp()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out.String())
	}
	m.lampObeyed(done)
}

func wait(t *testing.T, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(patience) {
		t.Fatal("no answer")
	}
	if err := token.Error(); err != nil {
		t.Fatal(err)
	}
}

func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}
