package lierda

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
		"\r\n+LMQTTURC: RECV,0,0,\"t\",hello\r\n", "\r\n+LMQTTURC:RECV,0,0,\"t\",\"\"\r\n", "\r\n+LMQTTURC: RECV,0,0,\"t\",\"\r\n",
		"\r\n+LMQTTURC: STATS,0,15,4\r\n", "\r\n+LMQTTURC: STATS,9,9\r\nRDY\r\n", "\r\n+LMQTTURC: RECV,,\"\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m := &Module{log: slog.New(slog.DiscardHandler)}
		var got []modem.Message
		s := &session{m: m, Client: modem.NewClient(nil, client, func(m modem.Message) { got = append(got, m) }, m.log)}
		s.live.Store(true)
		m.session = s
		at.NewScanner(at.Limits{}).Scan(text, func(e at.Event) { m.event(e, Restarted(e.Text)) })
		s.End(modem.ErrClosed)
		s.Wait()
		for _, message := range got {
			if !bytes.Contains(text, []byte(message.Topic)) || !bytes.Contains(text, message.Payload) {
				t.Errorf("%q gave %+v", text, message)
			}
		}
	})
}
