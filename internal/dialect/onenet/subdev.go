package onenet

import (
	"github.com/matou-iot/matou/internal/dialect"
	vendor "github.com/matou-iot/matou/onenet"
)

// subdev reads what a gateway of the first generation says of a sub-device, and
// on its topics: it lets it in and out, and the sub-device posts data points and
// answers commands [onenet §4.4]. It reports false for what is left to be read
// as if the sub-device had a connection of its own.
func (r *reading) subdev(c dialect.Claim, t vendor.Topic, mode dialect.Strictness) bool {
	sub := dialect.Claim{Product: string(t.ProductID), Device: string(t.Device)}
	about := []dialect.SubDevice{{Claim: sub, ClientID: sub.Device}}
	switch t.Kind {
	case vendor.SubdevLogin:
		r.ask(c, func(r *reading) dialect.Request {
			l := &dialect.SubLogin{Subs: about}
			if r.strict {
				l.Most = vendor.MaxSubdevs
			}
			return l
		})
		return true
	case vendor.SubdevLogout:
		r.ask(c, func(*reading) dialect.Request { return &dialect.SubLogout{Subs: about} })
		return true
	case vendor.DataPoint, vendor.Command:
		if sub == c {
			return false
		}
	}
	// Another's topic. The platform ends the connection over it, but not over a
	// sub-device of the gateway that has not logged in yet.
	forbid(r.up, mode, foreignTopic(c, string(r.topic)))
	if sub != c && t.Kind != vendor.Unknown && r.up.Others != nil {
		if _, why := r.up.Others.Model(c, sub); why == nil {
			r.up.Close = false
		}
	}
	return true
}

// onSubdev reports whether a request came on a topic of the first generation.
func onSubdev(a *dialect.Ask) bool { return vendor.ParseTopicName(a.Topic).Sub }

// subdevTold answers a login or logout of the first generation: the payload is
// empty, whatever became of it.
func subdevTold(a *dialect.Ask, err error) []dialect.Downlink {
	suffix := vendor.AcceptedSuffix
	if err != nil {
		suffix = vendor.RejectedSuffix
	}
	return []dialect.Downlink{{Topic: a.Topic + suffix}}
}

// subdevNotices tell a gateway of the first generation that sub-devices are out.
func subdevNotices(n *dialect.Notice) (out []dialect.Downlink) {
	switch n.Kind {
	case dialect.SessionOver, dialect.SubsRemoved, dialect.SubsDisabled, dialect.SubsDeleted:
		for _, sub := range n.Subs {
			out = append(out, dialect.Downlink{Topic: vendor.SubdevTopic(sub.Product, sub.Device, vendor.SubdevNotifyPath)})
		}
	}
	return out
}
