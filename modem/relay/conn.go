package relay

import (
	"errors"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/mqtt/packet"
)

// farewell bounds how long a connection that is closed after DISCONNECT still
// works off what was said before it, and logs out.
const farewell = 30 * time.Second

// A conn is the client's end.
type conn struct {
	net.Conn
	link *link
}

// Read and Write return why the link ended, not just that it did.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, c.why(err)
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, c.why(err)
}

func (c *conn) why(err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	if failure := c.link.failure(); failure != nil {
		return failure
	}
	return err
}

// Close logs out and waits until nothing runs any more.
func (c *conn) Close() error {
	err := c.Conn.Close()
	t := time.AfterFunc(farewell, func() { c.link.fail(errLeft) })
	defer t.Stop()
	c.link.over.Wait()
	return err
}

// LocalAddr is not known to the host: the module has it.
func (c *conn) LocalAddr() net.Addr { return modem.Addr("module") }

// RemoteAddr is the broker.
func (c *conn) RemoteAddr() net.Addr {
	o := &c.link.relay.o
	return modem.Addr(net.JoinHostPort(o.Host, strconv.Itoa(o.Port)))
}

// Check finds what the module does not take: see client.Checker.
func (c *conn) Check(p packet.Packet) error {
	limits := c.link.module.Limits()
	switch p := p.(type) {
	case *packet.Publish:
		m := messageOf(p)
		if err := limits.Message(m); err != nil {
			return err
		}
		return c.link.relay.given(m)
	case *packet.Subscribe:
		for _, s := range p.Subscriptions {
			if err := limits.Filter(s.Filter); err != nil {
				return err
			}
		}
	}
	return nil
}
