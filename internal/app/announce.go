package app

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
)

// runFile tells programs on this machine where the running server is; it is
// removed when the server stops.
const runFile = "run.json"

// A Running is what runFile holds.
type Running struct {
	PID     int      `json:"pid"`
	Version string   `json:"version"`
	API     string   `json:"api"`     // URL
	Devices []string `json:"devices"` // host:port
	CoAP    []string `json:"coap,omitempty"`
	CoAPS   []string `json:"coaps,omitempty"`
}

// announce says where everything is, on paper for programs and in words for
// people.
func (a *App) announce() {
	r := Running{PID: os.Getpid(), Version: a.version, API: "http://" + reachable(a.apiListen)}
	for _, ln := range a.devices {
		r.Devices = append(r.Devices, reachable(ln))
	}
	r.CoAP, r.CoAPS = reachableUDP(a.datagrams), reachableUDP(a.secure)
	text, err := json.Marshal(r)
	if err == nil {
		err = replace(a.config.path(runFile), append(text, '\n'))
	}
	if err != nil {
		a.log.Warn("write "+runFile, "error", err)
	}
	fmt.Fprintf(a.out, `
Matou %s is ready · 码头已就绪

  console 控制台     %s
  devices 设备接入   %s   (MQTT, TLS, WebSocket)
  API     接口       %s/api/v1
  docs    文档       %s/api/docs
  data    数据       %s
`, a.version, r.API, strings.Join(r.Devices, "  "), r.API, r.API, a.config.Data)
	if all := append(r.CoAP[:len(r.CoAP):len(r.CoAP)], r.CoAPS...); len(all) > 0 {
		fmt.Fprintf(a.out, "  CoAP               %s   (UDP, DTLS)\n", strings.Join(all, "  "))
	}
	if a.firstPassword != "" {
		fmt.Fprintf(a.out, `
  user    用户       admin
  password 密码      %s      (shown once 仅显示一次; change it: matou password)
`, a.firstPassword)
	}
	fmt.Fprintln(a.out)
}

// reachable is an address that a program on this machine can connect to.
func reachable(ln net.Listener) string {
	addr := ln.Addr().(*net.TCPAddr)
	return reachableAt(addr.IP, addr.Port)
}

func reachableUDP(conns []*net.UDPConn) (list []string) {
	for _, c := range conns {
		addr := c.LocalAddr().(*net.UDPAddr)
		list = append(list, reachableAt(addr.IP, addr.Port))
	}
	return list
}

func reachableAt(ip net.IP, port int) string {
	if ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	}
	return net.JoinHostPort(ip.String(), fmt.Sprint(port))
}

// replace writes a file so that who reads it finds all of it, or what was there
// before.
func replace(file string, text []byte) error {
	err := os.WriteFile(file+".new", text, 0o644)
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	return err
}
