package esp8266_test

import (
	"context"
	"log"
	"net"
	"time"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/esp8266"
	"github.com/matou-iot/matou/mqtt/client"
)

// An MQTT client whose connection is a socket of the ESP8266 on a USB adapter.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	port, err := modem.Open(ctx, "/dev/ttyUSB0", modem.DefaultBaud)
	if err != nil {
		log.Fatal(err)
	}
	m, err := esp8266.Attach(ctx, port, esp8266.Options{SSID: "home", Password: "12345678"})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	c := client.New(client.Options{
		ClientID: "sensor",
		Dial: func(ctx context.Context) (net.Conn, error) {
			return m.Dial(ctx, "tcp", "broker.example.com:1883")
		},
	})
	if err := c.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
