package device_test

import (
	"context"
	"log"
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
