package quectel

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// FuzzEvents: whatever a module says, a message that is delivered was said.
func FuzzEvents(f *testing.F) {
	for _, text := range []string{
		"\r\n+QMTRECV: 0,0,\"t\",5,\"hello\"\r\n", "\r\n+QMTRECV: 0,0,\"t\",\"[\"a\",5]\"\r\n", "\r\n+QMTSTAT: 0,1\r\n",
		"\r\n+QIURC: \"recv\",0\r\n", "\r\n+QIURC: \"recv\",99\r\n", "\r\n+QIURC: \"pdpdeact\",1\r\n", "\r\n+QMTRECV: -1,0,\"t\",\"x\"\r\n",
		"\r\n+QMTSTAT: 7,9\r\n\r\nRDY\r\n", "+QMTRECV: 0,0,\"t\",\"",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m := &Module{log: slog.New(slog.DiscardHandler), sockets: modem.NewSlots[socket](maxSockets)}
		var got []modem.Message
		s := &session{m: m, Client: modem.NewClient(nil, 0, func(m modem.Message) { got = append(got, m) }, m.log)}
		m.sessions[0] = s
		at.NewScanner(at.Limits{}, at.CellularHeaders()...).Scan(text, func(e at.Event) { m.event(e, Restarted(e.Text)) })
		s.End(modem.ErrClosed)
		s.Wait()
		for _, message := range got {
			if message.Topic == "" || !bytes.Contains(text, []byte(message.Topic)) || !bytes.Contains(text, message.Payload) {
				t.Errorf("%q gave %+v", text, message)
			}
		}
	})
}
