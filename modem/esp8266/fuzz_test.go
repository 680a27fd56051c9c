package esp8266

import (
	"log/slog"
	"testing"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// FuzzEvents: whatever a module says, no connection gets bytes that were not
// announced for it.
func FuzzEvents(f *testing.F) {
	for _, text := range []string{
		"\r\n+IPD,0,5:hello", "1,CLOSED\r\n", "+IPD,7,5:hello", "+IPD,0,4\r\n", "WIFI GOT IP\r\nready\r\n",
		"+MQTTSUBRECV:0,\"t\",5,hello\r\n+MQTTSUBRECV:0,\"t\"\r\n+MQTTDISCONNECTED:0\r\n", "+MQTTSUBRECV:0,\",5,hello", "+IPD,3,99999:x\r\n", "5,CLOSED\r\n,CLOSED\r\n-1,CLOSED\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m := &Module{log: slog.New(slog.DiscardHandler), links: modem.NewSlots[link](maxLinks), changed: make(chan struct{})}
		for range maxLinks - 1 {
			m.links.Claim(func(id int) *link { return m.newLink(id, "TCP", "fuzz:1") })
		}
		mailed := 0 // read once the session has ended
		s := &session{m: m, Client: modem.NewClient(nil, client, func(m modem.Message) { mailed += len(m.Payload) }, m.log)}
		s.live.Store(true)
		m.session.Store(s)
		counted := 0
		at.NewScanner(at.Limits{}, at.EspressifHeaders()...).Scan(text, func(e at.Event) {
			counted += len(e.Data)
			m.event(e, Restarted(e.Text))
		})
		s.End(modem.ErrClosed)
		s.Wait()
		received := mailed
		for _, l := range m.links.All() {
			received += 64<<10 - l.conn.Room()
		}
		if received > counted {
			t.Errorf("%d bytes received of %d announced", received, counted)
		}
	})
}
