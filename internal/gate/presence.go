package gate

import (
	"context"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// withoutConnection is how the roads begin on which a device is online because
// it has reported lately.
const withoutConnection = "CoAP"

// Heard marks a device online that has reported without a connection. What is
// known of one that has a connection as well stays.
func (g *Gate) Heard(s *dialect.Subject, from broker.Origin, road string) {
	st, err := g.Registry.Status(context.Background(), identity(s))
	if err != nil || st.State == registry.Online {
		return
	}
	now := g.Now()
	g.Registry.WentOnline(identity(s), now, from.Remote.String(), "", road)
	g.tell(s, now, registry.Online)
}

// Why a device is offline that had no connection.
const (
	loggedOut, loggedOutZH = "logged out", "设备已登出"
	notHeard, notHeardZH   = "nothing was reported for a while", "一段时间内没有上报"
)

// Leave marks a device offline that was Heard and says that it goes. One that
// has come by another road meanwhile stays online.
func (g *Gate) Leave(s *dialect.Subject) {
	g.left(s, loggedOut, loggedOutZH, "")
}

// Silent marks a device offline that was Heard last at since. One that has come
// by another road meanwhile stays online.
func (g *Gate) Silent(s *dialect.Subject, since time.Time) {
	g.left(s, notHeard, notHeardZH, since.UTC().Format(time.RFC3339))
}

// left marks a device offline that has no connection; since is when it reported
// last, where that is why.
func (g *Gate) left(s *dialect.Subject, why, whyZH, since string) {
	st, err := g.Registry.Status(context.Background(), identity(s))
	if err != nil || st.State != registry.Online || !strings.HasPrefix(st.Protocol, withoutConnection) {
		return
	}
	g.Registry.WentOffline(identity(s), g.Now(), why)
	g.tell(s, g.Now(), registry.Offline)
	e := trace.Entry{Product: s.Product, Device: s.Device, Kind: trace.Disconnect, Sentence: why, SentenceZH: whyZH}
	if since != "" {
		e.Sentence, e.SentenceZH = why+": the last report came at "+since, whyZH+"，最后一次上报于 "+since
	}
	g.Trace.Record(e)
}
