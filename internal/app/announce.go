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
}

// announce says where everything is, on paper for programs and in words for
// people.
func (a *App) announce() {
	r := Running{PID: os.Getpid(), Version: a.version, API: "http://" + reachable(a.apiListen)}
	for _, ln := range a.devices {
		r.Devices = append(r.Devices, reachable(ln))
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(a.config.path(runFile), append(text, '\n'), 0o644)
	}
	if err != nil {
		a.log.Warn("write "+runFile, "error", err)
	}
	fmt.Fprintf(a.out, `
Matou %s is ready · 码头已就绪

  devices 设备接入   %s   (MQTT, TLS, WebSocket)
  API     接口       %s/api/v1
  docs    文档       %s/api/docs
  data    数据       %s
`, a.version, strings.Join(r.Devices, "  "), r.API, r.API, a.config.Data)
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
	if addr.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", fmt.Sprint(addr.Port))
	}
	return addr.String()
}
