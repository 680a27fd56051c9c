// Command espat drives a module with the espat driver of tinygo.org/x/drivers,
// which knows nothing of Matou: it joins a network, connects, logs in to an
// MQTT broker by hand and prints what came of each step.
//
// It is a module of its own, so that the driver is no dependency of Matou.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"tinygo.org/x/drivers/espat"
)

// A uart is what TinyGo calls one: reading never waits.
type uart struct {
	conn net.Conn

	mu       sync.Mutex
	received []byte
}

func (u *uart) listen() {
	b := make([]byte, 1024)
	for {
		n, err := u.conn.Read(b)
		u.mu.Lock()
		u.received = append(u.received, b[:n]...)
		u.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (u *uart) Write(b []byte) (int, error) { return u.conn.Write(b) }

func (u *uart) Read(b []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := copy(b, u.received)
	u.received = u.received[n:]
	return n, nil
}

func (u *uart) Buffered() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.received)
}

func main() {
	port := flag.String("port", "", "the module's TCP port")
	ssid, password := flag.String("ssid", "", ""), flag.String("password", "", "")
	host, service := flag.String("host", "", "the broker"), flag.String("service", "1883", "its port")
	id, user, secret := flag.String("id", "", "client identifier"), flag.String("user", "", ""), flag.String("secret", "", "")
	flag.Parse()
	if err := run(*port, *ssid, *password, *host, *service, connect(*id, *user, *secret)); err != nil {
		fmt.Fprintln(os.Stderr, "espat:", err)
		os.Exit(1)
	}
}

// connect is an MQTT 3.1.1 CONNECT of less than 128 bytes.
func connect(id, user, secret string) string {
	body := "\x00\x04MQTT\x04\xc2\x00\x3c"
	for _, s := range []string{id, user, secret} {
		body += string([]byte{0, byte(len(s))}) + s
	}
	return "\x10" + string([]byte{byte(len(body))}) + body
}

func run(port, ssid, password, host, service, login string) error {
	conn, err := net.Dial("tcp", port)
	if err != nil {
		return err
	}
	defer conn.Close()
	u := &uart{conn: conn}
	go u.listen()
	d := espat.New(u)
	d.Configure()
	// Its first look is often too early, as its own examples know.
	for try := 0; !d.Connected(); try++ {
		if try == 20 {
			return errors.New("no answer to AT")
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Println("connected")
	settle(d)
	d.Echo(false)
	settle(d)
	if err := d.SetWifiMode(espat.WifiModeClient); err != nil {
		return fmt.Errorf("mode: %w", err)
	}
	if err := d.ConnectToAP(ssid, password, 10); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	address, err := d.GetClientIP()
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	fmt.Printf("joined %q\n", address)
	if err := d.ConnectTCPSocket(host, service); err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	fmt.Println("dialled")
	for _, packet := range []struct{ name, bytes string }{
		{"CONNECT", login},
		{"PINGREQ", "\xc0\x00"},
	} {
		answer, err := exchange(d, packet.bytes)
		if err != nil {
			return fmt.Errorf("%s: %w", packet.name, err)
		}
		fmt.Printf("%s % x\n", packet.name, answer)
	}
	if err := d.DisconnectSocket(); err != nil {
		return fmt.Errorf("hang up: %w", err)
	}
	fmt.Println("hung up")
	return nil
}

// settle takes the answers that the driver did not wait for: it looks once, at
// once, for the answer to AT and ATE0.
func settle(d *espat.Device) {
	for {
		if _, err := d.Response(400); err != nil {
			return
		}
	}
}

// exchange sends a packet and reads what comes back.
func exchange(d *espat.Device, packet string) ([]byte, error) {
	if err := d.StartSocketSend(len(packet)); err != nil {
		return nil, fmt.Errorf("prompt: %w", err)
	}
	if _, err := d.Write([]byte(packet)); err != nil {
		return nil, err
	}
	sent := d.EndSocketSend()
	answer := make([]byte, 64)
	for range 20 {
		if n, err := d.ReadSocket(answer); n > 0 || err != nil {
			return answer[:n], err
		}
	}
	return nil, fmt.Errorf("no answer (end of sending: %v)", sent)
}
