package app

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/matou-iot/matou/device"
)

// demoInterval is how often the simulated devices report.
const demoInterval = 5 * time.Second

// wave is a value that goes up and down around a middle, as a room's does.
func wave(now time.Time, middle, swing float64, period time.Duration) float64 {
	phase := float64(now.UnixMilli()%period.Milliseconds()) / float64(period.Milliseconds())
	return math.Round((middle+swing*math.Sin(2*math.Pi*phase))*10) / 10
}

// simulateLight is the night light: it measures, and its lamp obeys.
func simulateLight(d *device.Device) {
	var mu sync.Mutex
	on := false
	d.Every(demoInterval, func(context.Context) (device.Values, error) {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		return device.Values{
			"CurrentTemperature": wave(now, 24, 3, 10*time.Minute),
			"CurrentHumidity":    wave(now, 55, 12, 7*time.Minute),
			"NightLightSwitch":   on,
		}, nil
	})
	d.OnSet(func(_ context.Context, p device.Params) error {
		if v, ok := p.Bool("NightLightSwitch"); ok {
			mu.Lock()
			on = v
			mu.Unlock()
		}
		return nil
	})
	d.OnInvoke(func(_ context.Context, _ string, in device.Params) (device.Values, error) {
		times, _ := in.Int("Times")
		return device.Values{"Done": times}, nil
	})
}

// simulateSensor is the thermometer; setting wendu calibrates it.
func simulateSensor(d *device.Device) {
	var mu sync.Mutex
	offset := 0.0
	measure := func() float64 { return wave(time.Now(), 21, 2, 8*time.Minute) }
	d.Every(demoInterval, func(context.Context) (device.Values, error) {
		mu.Lock()
		defer mu.Unlock()
		return device.Values{"wendu": math.Round((measure()+offset)*10) / 10}, nil
	})
	d.OnSet(func(_ context.Context, p device.Params) error {
		if v, ok := p.Float("wendu"); ok {
			mu.Lock()
			offset = v - measure()
			mu.Unlock()
		}
		return nil
	})
	d.OnInvoke(func(context.Context, string, device.Params) (device.Values, error) {
		mu.Lock()
		defer mu.Unlock()
		offset = 0
		return device.Values{"done": true}, nil
	})
}
