package test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/device"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/esp8266"
	"github.com/matou-iot/matou/modem/lierda"
	"github.com/matou-iot/matou/modem/quectel"
)

// A device in Go on the far side of a serial line: the driver opens the
// pseudo-terminal of `matou modem run` as it would open an adapter, and the
// device logs in through the module's socket. Only the module resolves the
// vendor's host name.
func TestDeviceBehindAnESP8266(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	link := filepath.Join(t.TempDir(), "esp")
	m.module(`which is (\S+)`, "esp8266", "--pty", link, "--speed", "20", "--wifi", "home=12345678",
		"--map", "*.iot-as-mqtt.cn-shanghai.aliyuncs.com="+m.device)
	port, err := modem.Open(t.Context(), link, 0)
	if err != nil {
		t.Fatal(err)
	}
	module, err := esp8266.Attach(t.Context(), port, esp8266.Options{SSID: "home", Password: "12345678"})
	if err != nil {
		t.Fatal(err)
	}
	defer module.Close()
	m.deviceThrough(module)
}

func TestDeviceBehindAnEC20(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	module := m.ec20()
	defer module.Close()
	m.deviceThrough(module)
}

// ec20 attaches the driver to a virtual EC20.
func (m *matou) ec20() *quectel.Module {
	m.t.Helper()
	module, err := quectel.Attach(m.t.Context(), m.cellularPort("ec20"), quectel.Options{})
	if err != nil {
		m.t.Fatal(err)
	}
	return module
}

// cellularPort is the TCP port of a virtual module, for which Aliyun is here.
func (m *matou) cellularPort(model string) net.Conn {
	m.t.Helper()
	where, _ := m.module(` at tcp (127\.0\.0\.1:\d+)`,
		model, "--tcp", "127.0.0.1:0", "--map", "*.aliyuncs.com="+m.device, "--speed", "20")
	port, err := modem.Open(m.t.Context(), "tcp:"+where, 0)
	if err != nil {
		m.t.Fatal(err)
	}
	return port.(net.Conn)
}

// deviceThrough is the lamp of seed 000 with its sockets on a module: it
// reports, and obeys.
func (m *matou) deviceThrough(module modem.Module) {
	m.t.Helper()
	d, err := device.New(device.Options{
		Identity: device.Aliyun{ProductKey: lampProduct, DeviceName: lampName, DeviceSecret: lampSecret},
		Dial:     func(ctx context.Context) (net.Conn, error) { return module.Dial(ctx, "tcp", aliyunHost+":1883") },
	})
	if err != nil {
		m.t.Fatal(err)
	}
	d.OnSet(func(ctx context.Context, p device.Params) error {
		on, _ := p.Bool("NightLightSwitch")
		return d.Report(ctx, device.Values{"NightLightSwitch": on})
	})
	ctx, cancel := context.WithCancel(m.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	if err := d.Report(ctx, device.Values{"CurrentTemperature": 25.5}); err != nil {
		m.t.Error(err)
	}
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "25.5")
	answer := must[object](m, "POST", "/products/"+lampProduct+"/devices/"+lampName+"/properties",
		object{"values": object{"NightLightSwitch": 1}, "wait": "10s"})
	if answer["state"] != "acknowledged" {
		m.t.Errorf("command %v", answer)
	}
	m.awaitLatest(lampProduct, lampName, "NightLightSwitch", "true")
	cancel()
	<-ended
	m.awaitState(lampProduct, lampName, "OFFLINE")
}

// The modules' own MQTT clients: they sign by themselves, the driver only says
// what to send.
func TestMessengersSignIn(t *testing.T) {
	for _, model := range []string{"ec20", "nt35e"} {
		t.Run(model, func(t *testing.T) {
			m := start(t, t.TempDir())
			m.lamp()
			var module modem.Messenger
			var err error
			if model == "ec20" {
				module, err = quectel.Attach(t.Context(), m.cellularPort(model), quectel.Options{})
			} else {
				module, err = lierda.Attach(t.Context(), m.cellularPort(model), lierda.Options{})
			}
			if err != nil {
				t.Fatal(err)
			}
			defer module.Close()
			m.messenger(module)
		})
	}
}

func (m *matou) messenger(module modem.Messenger) {
	m.t.Helper()
	got := make(chan modem.Message, 10)
	login := modem.Login{
		Host: aliyunHost, Port: 1883, ClientID: "module",
		Aliyun: &aliyun.Triple{ProductKey: lampProduct, DeviceName: lampName, DeviceSecret: lampSecret},
	}
	s, err := module.Connect(m.t.Context(), login, func(m modem.Message) { got <- m })
	if err != nil {
		m.t.Fatal(err)
	}
	topics := "/sys/" + lampProduct + "/" + lampName + "/thing/"
	if _, err := s.Subscribe(m.t.Context(), topics+"service/property/set", 0); err != nil {
		m.t.Error(err)
	}
	err = s.Publish(m.t.Context(), modem.Message{
		Topic: topics + "event/property/post", QoS: 1,
		Payload: []byte(`{"id":"1","version":"1.0","params":{"CurrentTemperature":24.5},"method":"thing.event.property.post"}`),
	})
	if err != nil {
		m.t.Error(err)
	}
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", "24.5")
	m.call("POST", "/products/"+lampProduct+"/devices/"+lampName+"/properties", object{"values": object{"NightLightSwitch": 1}})
	for message := range got {
		if strings.HasSuffix(message.Topic, "/property/set") {
			if !strings.Contains(string(message.Payload), `"NightLightSwitch":1`) {
				m.t.Errorf("the set is %s", message.Payload)
			}
			break
		}
	}
	if err := s.Close(); err != nil {
		m.t.Error(err)
	}
	m.awaitState(lampProduct, lampName, "OFFLINE")

	// A wrong secret: the driver says what the broker said.
	login.Aliyun.DeviceSecret = strings.Repeat("f", 32)
	_, err = module.Connect(m.t.Context(), login, nil)
	if want := fmt.Sprintf("log in to %s:1883: the broker refused the login: wrong user name or password (CONNACK 4)", aliyunHost); err == nil || err.Error() != want {
		m.t.Errorf("%v\nwant %s", err, want)
	}
}
