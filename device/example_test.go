package device_test

import (
	"context"
	"log"
	"net"
	"time"

	"github.com/matou-iot/matou/device"
)

// A night light that reports its switch and obeys it.
func Example() {
	d, err := device.New(device.Options{
		Identity: device.Aliyun{ProductKey: "a1NightLamp", DeviceName: "lamp01", DeviceSecret: "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"},
		Host:     "127.0.0.1",
	})
	if err != nil {
		log.Fatal(err)
	}
	d.OnSet(func(ctx context.Context, p device.Params) error {
		if on, ok := p.Bool("NightLightSwitch"); ok {
			return d.Report(ctx, device.Values{"NightLightSwitch": on})
		}
		return nil
	})
	d.Every(5*time.Second, func(context.Context) (device.Values, error) {
		return device.Values{"CurrentTemperature": 21.5, "CurrentHumidity": 48}, nil
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := d.Run(ctx); err != nil {
		log.Fatal(err)
	}
}

// A sensor with drivers for its properties, over TLS: it reports what has
// changed, and everything once a minute.
func ExampleProperties() {
	dht11 := func(context.Context) (any, error) { return 21.1, nil } // the sensor's driver
	d, err := device.New(device.Options{
		Identity: device.OneNET{ProductID: "VRqhDHF2wL", DeviceName: "my_tv", Key: "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw="},
		URL:      "mqtts://iot.example.com",
		Queue:    1000, // reports that wait for the network
	})
	if err != nil {
		log.Fatal(err)
	}
	sensors := device.Properties{"wendu": dht11}
	d.OnChange(time.Second, 0.2, sensors.Read)
	d.Every(time.Minute, sensors.Read)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if err := d.Run(ctx); err != nil {
		log.Fatal(err)
	}
}

// A pump that speaks plain MQTT, over the socket of a communication module.
func ExampleOptions_dial() {
	var module interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	} = &net.Dialer{} // or the driver of a module on a serial port
	d, err := device.New(device.Options{
		Identity: device.MQTT{Product: "farm", DeviceName: "pump1", Secret: "Correct-Horse-7"},
		Dial: func(ctx context.Context) (net.Conn, error) {
			return module.DialContext(ctx, "tcp", "127.0.0.1:1883")
		},
		Desired: []string{"Power"}, // asked for after each connection
	})
	if err != nil {
		log.Fatal(err)
	}
	d.OnSet(func(_ context.Context, p device.Params) error {
		power, _ := p.Int("Power")
		log.Printf("power is %d now", power)
		return nil
	})
	if err := d.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
