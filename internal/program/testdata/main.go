// Aliyun: device lamp01 of product a1NightLamp, for Go: go get github.com/matou-iot/matou
// Aliyun：产品 a1NightLamp 的设备 lamp01，用于 Go：go get github.com/matou-iot/matou
//
// Change 需要修改:
//
//	host     where Matou is 码头的地址
//	read     your sensors 你的传感器
//	set      what the cloud may switch 云端可以控制的部件
//
// It signs by itself each time it connects. 每次连接时自行签名。
// Position: not reported here 这里没有上报
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/matou-iot/matou/device"
)

const (
	host = "192.168.1.10"
	port = 1883
)

// read is what the sensors say. 传感器的值。
func read(context.Context) (device.Values, error) {
	return device.Values{
		"CurrentTemperature": 21.5, // 当前温度 °C
		"NightLightSwitch":   true, // 夜灯开关
		"light:Level":        4,    // level
		"Mode":               3,    // mode
		"Note":               "ok", // a note * / of the // person
	}, nil
}

// set is what the cloud wants. 云端要设置的值。
func set(_ context.Context, values device.Params) error {
	for name, value := range values {
		log.Printf("set %s to %s", name, value.AppendJSON(nil))
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	d, err := device.New(device.Options{
		Identity:  device.Aliyun{ProductKey: "a1NightLamp", DeviceName: "lamp01", DeviceSecret: "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"},
		Host:      host,
		Port:      port,
		OnConnect: func() { log.Print("connected 已连接") },
		OnAway:    func(err error) { log.Printf("away 离线: %v", err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	d.OnSet(set)
	d.Every(10*time.Second, read)
	if err := d.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
