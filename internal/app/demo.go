package app

import (
	"context"
	_ "embed"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/matou-iot/matou/device"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

//go:embed demo/light.json
var demoLightModel []byte

//go:embed demo/sensor.json
var demoSensorModel []byte

// A demoProduct is a product of the demo: one simulated device that is always
// there, one free device that waits for its person.
type demoProduct struct {
	product   registry.Product
	model     []byte // in the vendor's own form
	simulated string
	free      string
	topic     string // of the free device's first report
	payload   string
	simulate  func(d *device.Device)
	identity  func(d *registry.Device) device.Identity
}

// demoProducts are those of the tutorials: the night light of an Aliyun lesson
// and the thermometer of a OneNET one.
func demoProducts() []demoProduct {
	return []demoProduct{
		{
			product: registry.Product{
				Key: "a1DemoLight", Name: "Night light 小夜灯", Dialect: "aliyun",
				Desc: "Demo: temperature, humidity and a switch",
			},
			model: demoLightModel, simulated: "light01", free: "my-light",
			topic:    "/sys/a1DemoLight/my-light/thing/event/property/post",
			payload:  `{"id":"1","version":"1.0","params":{"CurrentTemperature":23.5},"method":"thing.event.property.post"}`,
			simulate: simulateLight,
			identity: func(d *registry.Device) device.Identity {
				return device.Aliyun{ProductKey: d.Product, DeviceName: d.Name, DeviceSecret: d.Secret}
			},
		},
		{
			product: registry.Product{
				Key: "DemoSensor", Name: "Thermometer 温度计", Dialect: "onenet",
				Desc: "Demo: one temperature",
			},
			model: demoSensorModel, simulated: "sensor01", free: "my-sensor",
			topic:    "$sys/DemoSensor/my-sensor/thing/property/post",
			payload:  `{"id":"1","version":"1.0","params":{"wendu":{"value":23.5}}}`,
			simulate: simulateSensor,
			identity: func(d *registry.Device) device.Identity {
				return device.OneNET{ProductID: d.Product, DeviceName: d.Name, Key: d.Secret}
			},
		},
	}
}

// demo makes what is missing of the demo, shows what a person needs to connect
// a device of his own, and runs the simulated devices until ctx is done.
func (a *App) demo(ctx context.Context) error {
	all := demoProducts()
	for i := range all {
		if err := a.makeDemo(ctx, &all[i]); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	screen := newScreen(a, all)
	for i := range all {
		if err := screen.invite(ctx, &all[i]); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	running, ctx := errgroup.WithContext(ctx)
	running.Go(func() error { return screen.run(ctx) })
	for i := range all {
		running.Go(func() error { return a.runSimulated(ctx, &all[i]) })
	}
	return running.Wait()
}

// makeDemo makes product and devices that are not there yet. What a person
// changed stays changed; what he deleted comes back with the next start.
func (a *App) makeDemo(ctx context.Context, p *demoProduct) error {
	if _, err := a.registry.Product(ctx, p.product.Key); fault.KindOf(err) == fault.KindNotFound {
		if _, err := a.registry.CreateProduct(ctx, p.product); err != nil {
			return err
		}
		speaks, ok := a.dialects.ByName(p.product.Dialect)
		if !ok {
			return fmt.Errorf("no dialect %s", p.product.Dialect)
		}
		model, err := speaks.ImportModel(p.model)
		if err != nil {
			return err
		}
		if _, err := a.registry.PublishModel(ctx, p.product.Key, model); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	for _, name := range []string{p.simulated, p.free} {
		id := registry.ID{Product: p.product.Key, Device: name}
		if _, err := a.registry.Device(ctx, id); fault.KindOf(err) == fault.KindNotFound {
			if _, err := a.registry.CreateDevice(ctx, registry.Device{Product: id.Product, Name: id.Device}); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
	}
	return nil
}

// runSimulated is a device over a real socket, like everybody else's.
func (a *App) runSimulated(ctx context.Context, p *demoProduct) error {
	d, err := a.registry.Device(ctx, registry.ID{Product: p.product.Key, Device: p.simulated})
	if err != nil {
		return err
	}
	host, port := hostPort(a.devices[0])
	simulated, err := device.New(device.Options{Identity: p.identity(d), Host: host, Port: port})
	if err != nil {
		return err
	}
	p.simulate(simulated)
	return simulated.Run(ctx)
}

// triple says who the free device is, in its vendor's words.
func (p *demoProduct) triple(secret string) string {
	if p.product.Dialect == "onenet" {
		return fmt.Sprintf("product id   %s   device %s   key 密钥 %s", p.product.Key, p.free, secret)
	}
	return fmt.Sprintf("ProductKey   %s   DeviceName %s   DeviceSecret %s", p.product.Key, p.free, secret)
}

// freeCredentials are what the free device's person has to type, and the
// secret they are made from.
func (a *App) freeCredentials(ctx context.Context, p *demoProduct) (c dialect.Credentials, secret string, err error) {
	d, err := a.registry.Device(ctx, registry.ID{Product: p.product.Key, Device: p.free})
	if err != nil {
		return c, "", err
	}
	product, err := a.registry.Product(ctx, p.product.Key)
	if err != nil {
		return c, "", err
	}
	speaks, _ := a.dialects.ByName(product.Dialect)
	all, err := speaks.Credentials(dialect.Claim{Product: d.Product, Device: d.Name},
		dialect.Secrets{Device: d.Secret, Product: product.Secret},
		dialect.CredentialOptions{Host: a.publicHost(), Port: port(a.devices[0]), Now: a.started})
	if err != nil || len(all) == 0 {
		return c, "", fmt.Errorf("credentials of %s/%s: %v", d.Product, d.Name, err)
	}
	return all[0], d.Secret, nil
}
