package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/matou-iot/matou/internal/program"
)

type deviceCodeCmd struct {
	Device   deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	For      string    `required:"" enum:"at,at-mqtt,at-ec20,at-nt35e,c,arduino,stm32,micropython,python,node,go" help:"at (ESP8266, packets as hex), at-mqtt (ESP-AT with MQTT), at-ec20, at-nt35e, c (arrays), arduino, stm32, micropython, python, node or go." placeholder:"WHAT"`
	Out      string    `short:"o" help:"File to write, a directory for the usual name; left out, the program is printed." placeholder:"FILE"`
	Host     string    `help:"Host that the device connects to; left out, what the server's configuration says." placeholder:"HOST"`
	Port     int       `help:"Port that the device connects to, likewise." placeholder:"PORT"`
	TLS      bool      `name:"tls" help:"Connect with TLS; not for at-nt35e."`
	Method   string    `help:"Sign method; left out, the usual one." placeholder:"METHOD"`
	ClientID string    `name:"client-id" help:"Aliyun: the free part of the client id." placeholder:"ID"`
	apiFlags
}

func (*deviceCodeCmd) Help() string {
	return `Writes a program for the device's own firmware: its login computed, its topics
and lengths right, the properties of its thing model in place. Comments at the
top say in English and Chinese what is left to change. The program holds the
device's password: keep it as you would keep that.

Examples:
  matou device code a1NightLamp/lamp01 --for at --host 192.168.1.10
  matou device code a1NightLamp/lamp01 --for arduino -o lamp01.ino
  matou device code VRqhDHF2wL/my_tv --for micropython -o main.py
  matou device code a1NightLamp/lamp01 --for python --tls --host iot.example.com
  matou device code a1NightLamp/lamp01 --for c | cc -fsyntax-only -xc -
  matou device code VRqhDHF2wL/my_tv --for at | matou packet replay -`
}

func (c *deviceCodeCmd) Run(g *globals) error {
	if c.Port < 0 || c.Port > 65535 {
		return usagef("--port %d is no port", c.Port)
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	port, secure := "", ""
	if c.TLS {
		secure = "true"
	}
	if c.Port != 0 {
		port = strconv.Itoa(c.Port)
	}
	var p program.Source
	q := query("for", c.For, "host", c.Host, "port", port, "tls", secure, "method", c.Method, "clientId", c.ClientID)
	if err := r.call("GET", c.Device.at("code"), q, nil, &p); err != nil {
		return err
	}
	if c.Out == "" {
		return g.emit(p, func(w io.Writer) { io.WriteString(w, p.Text) })
	}
	name := c.Out
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name += string(os.PathSeparator) + p.File
	}
	if err := os.WriteFile(name, []byte(p.Text), 0o600); err != nil { // it holds a password
		return err
	}
	fmt.Fprintf(g.Stderr, "%s written: %s\n", name, p.Title)
	return g.emit(p, func(io.Writer) {})
}
