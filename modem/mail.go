package modem

import (
	"log/slog"
	"sync"
)

// maxMail bounds the messages that were received and wait for their receiver.
const maxMail = 256

// A Mailbox hands the messages of a module's MQTT client to their receiver,
// and knows when the session ended. It is the half of a Session that all
// drivers share. A module cannot be told to wait: what comes while 256
// messages wait is dropped and logged.
type Mailbox struct {
	receive func(Message)
	log     *slog.Logger
	mail    chan Message
	done    chan struct{}
	over    sync.WaitGroup

	mu  sync.Mutex
	err error
}

// NewMailbox begins to hand over. receive may be nil.
func NewMailbox(receive func(Message), log *slog.Logger) *Mailbox {
	if receive == nil {
		receive = func(Message) {}
	}
	m := &Mailbox{receive: receive, log: log, mail: make(chan Message, maxMail), done: make(chan struct{})}
	m.over.Go(m.run)
	return m
}

// Deliver takes a message; it never waits.
func (m *Mailbox) Deliver(message Message) {
	select {
	case m.mail <- message:
	default:
		m.log.Warn("message dropped: the receiver is too slow", "topic", message.Topic, "waiting", maxMail)
	}
}

// End ends the session with an error, if it has not ended before.
func (m *Mailbox) End(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
		close(m.done)
	}
}

// Done is closed when the session has ended.
func (m *Mailbox) Done() <-chan struct{} { return m.done }

// Err says why the session ended.
func (m *Mailbox) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Wait waits, after End, until the receiver has returned.
func (m *Mailbox) Wait() { m.over.Wait() }

func (m *Mailbox) run() {
	for {
		select {
		case message := <-m.mail:
			m.receive(message)
			continue
		default:
		}
		select {
		case message := <-m.mail:
			m.receive(message)
		case <-m.done:
			return
		}
	}
}
