package modem_test

import (
	"context"
	"log"
	"net"
	"time"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/quectel"
	"github.com/matou-iot/matou/mqtt/client"
)

// An MQTT client over a cellular module that may be switched off and on, or
// pulled out and put in again.
func ExampleLine() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	line := modem.NewLine(func(ctx context.Context) (modem.Module, error) {
		port, err := modem.Open(ctx, "/dev/ttyUSB2", modem.DefaultBaud)
		if err != nil {
			return nil, err
		}
		return quectel.Attach(ctx, port, quectel.Options{APN: "CMNET", URCPort: quectel.URCOnUSB})
	})
	defer line.Close()
	c := client.New(client.Options{
		ClientID: "sensor",
		Dial: func(ctx context.Context) (net.Conn, error) {
			return line.Dial(ctx, "tcp", "broker.example.com:1883")
		},
	})
	if err := c.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
