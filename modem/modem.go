// Package modem drives modules that speak AT commands on a serial line: Wi-Fi
// and cellular modules whose sockets become net.Conns, and those that bring an
// MQTT client of their own.
//
// A driver (modem/esp8266, modem/quectel, modem/lierda) attaches to a port and
// is a Module; those with an MQTT client are Messengers too. Host is what all
// of them are built on: it asks one command at a time, tells answers from what
// the module says of its own accord, and finds back when an answer, a prompt
// or the module itself got lost. Readiness keeps a module set up across
// restarts; Slots, Conn and Fetcher are its sockets, Client its own MQTT client.
// Open opens ports, and a Line is a way through a module that may be pulled out
// and put in again.
//
// Being a module is in modem/virtual.
package modem

import (
	"context"
	"net"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/mqtt"
)

// A Module is a module that a driver has attached to. Its methods may be
// called by several goroutines; the module does one thing after another.
//
// A module that restarted by itself or fell silent is set up again by the next
// Join or Dial. When its port is gone every method fails with ErrGone: close
// it and attach again, as a Line does.
type Module interface {
	// Identity says what is attached.
	Identity() Identity
	// Join brings the network up, and returns at once if it is. ctx bounds
	// the wait; cellular modules may take minutes.
	Join(ctx context.Context) error
	// Dial opens a connection through the module, joining first if need be.
	// network is "tcp" or, where the module does TLS itself, "tls".
	// errors.ErrUnsupported is returned for what the module cannot do.
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	// Signal is the strength of the radio signal in dBm, 0 if not known.
	Signal(ctx context.Context) (dBm int, err error)
	// Done is closed when the module cannot be used any more: its port is
	// gone, or Close was called.
	Done() <-chan struct{}
	// Close ends all connections without telling their peers, closes the port
	// and waits until nothing runs any more.
	Close() error
}

// An Identity says what a module is, as far as it tells.
type Identity struct {
	Maker    string // "Espressif"
	Model    string // "ESP8266"
	Firmware string // "1.7.4.0"
	Serial   string // IMEI or MAC address
}

// A Messenger is a Module with an MQTT client of its own.
type Messenger interface {
	Module
	// Connect logs in to a broker, joining first if need be. The module's
	// messages are handed to receive one after another; while it runs no
	// other is taken. A module that holds one session refuses the second.
	Connect(ctx context.Context, login Login, receive func(Message)) (Session, error)
	// Limits are what its MQTT client takes. Connect and the Session check
	// them before anything is sent.
	Limits() Limits
}

// A Login says how the module logs in to a broker.
type Login struct {
	Host string
	Port int
	// TLS has the module encrypt. What it checks of the broker's certificate
	// is the driver's affair.
	TLS bool

	ClientID string
	Username string
	Password string
	// Aliyun lets the module sign for Alibaba Cloud IoT itself ("aliauth"):
	// Username and Password are then not used. nil: it does not.
	Aliyun *aliyun.Triple

	KeepAlive   time.Duration // 0: the module's default; whole seconds
	KeepSession bool          // ask the broker to keep the session
	Will        *Message
}

// A Message is an application message. Received ones tell neither QoS nor
// Retain: modules do not say.
type Message struct {
	Topic   string
	Payload []byte
	QoS     mqtt.QoS
	Retain  bool
	Piece   Piece // of a received one
}

// A Piece says whether a received message is a part of one that is longer than
// the module's MQTT client hands over at once.
type Piece byte

// The parts of a message. Which one is the last no module says.
const (
	Whole Piece = iota
	FirstPiece
	NextPiece
)

// A Session is the module's connection to a broker.
type Session interface {
	// Publish sends a message, and waits for the acknowledgement that its QoS
	// brings.
	Publish(ctx context.Context, m Message) error
	// Subscribe returns the QoS that the broker granted, as far as the module
	// tells.
	Subscribe(ctx context.Context, filter string, qos mqtt.QoS) (mqtt.QoS, error)
	Unsubscribe(ctx context.Context, filter string) error
	// Done is closed when the session has ended; Err then says why.
	Done() <-chan struct{}
	Err() error
	// Close logs out.
	Close() error
}
