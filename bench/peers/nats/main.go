// Command nats runs a NATS server with its MQTT listener as a peer to measure
// against: anonymous, on one node.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// patience is how long the server may take to start.
const patience = 10 * time.Second

// maxConnections is more than any scenario makes.
const maxConnections = 1 << 20

// ackPending is how many QoS 1 messages may wait for their acknowledgement: the
// most that NATS allows.
const ackPending = 65535

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on")
	dir := flag.String("dir", "", "directory for what JetStream keeps: its MQTT sessions")
	version := flag.Bool("version", false, "print the version and stop")
	flag.Parse()
	if *version {
		fmt.Println("nats-server " + server.VERSION)
		return
	}
	if err := run(*addr, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "nats:", err)
		os.Exit(1)
	}
}

func run(addr, dir string) error {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "bench", Host: host, Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: dir, MaxConn: maxConnections,
		MQTT: server.MQTTOpts{Host: host, Port: port, MaxAckPending: ackPending},
	})
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		return fmt.Errorf("not ready after %v", patience)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}
