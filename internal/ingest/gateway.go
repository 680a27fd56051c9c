package ingest

import (
	"bytes"
	"fmt"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt/packet"
)

// speaker is for whom a message on a gateway's connection speaks: a sub-device
// that is logged in on it and whose names are in the topic, or the gateway.
func speaker(by *dialect.Subject, topic []byte) *dialect.Subject {
	g, ok := by.Dialect.(dialect.Gateways)
	if !ok {
		return by
	}
	if sub := by.Subs.Find(g.Owner(topic)); sub != nil {
		return sub
	}
	return by
}

// stranger asks about a topic of another device: of a sub-device that is not
// logged in, for instance, which the gateway has to be told.
func (j *job) stranger(topic []byte) {
	g, ok := j.by.Dialect.(dialect.Gateways)
	if !ok || j.in.Gateways == nil {
		return
	}
	product, device, named := bytes.Cut(g.Owner(topic), []byte("/"))
	owner := dialect.Claim{Product: string(product), Device: string(device)}
	if !named || owner == j.who.Claim {
		return
	}
	if why, answers := j.in.Gateways.Stranger(j.by, owner); why != nil {
		if g.Acknowledges(topic) { // what it answers has ended its session
			j.up.Kind, j.up.Fault = dialect.Unimplemented, nil
			return
		}
		why.Received = string(topic)
		j.up.Fault, j.up.Answers = why, append(j.up.Answers, answers...)
	}
}

// keepPack keeps what a report says besides values of the device on whose
// topic it came, and writes it into the timelines of those it speaks of.
func (j *job) keepPack(p *packet.Publish) {
	if j.up.RefusedAll {
		return
	}
	j.keepEvents(j.who.Claim, j.up.Events)
	for i := range j.up.Parts {
		part := &j.up.Parts[i]
		j.keepReport(part.Claim, part.Report)
		j.keepEvents(part.Claim, part.Events)
		values, events := len(part.Report), len(part.Events)
		j.in.Trace.Record(trace.Entry{
			Parent: j.entry, At: j.arrived, Product: part.Product, Device: part.Device, Kind: trace.Uplink, Direction: "up", Topic: string(p.Topic),
			Sentence:   fmt.Sprintf("%d values and %d events in a report of gateway %s", values, events, j.who.Session()),
			SentenceZH: fmt.Sprintf("网关 %s 的上报中包含 %d 个属性值、%d 个事件", j.who.Session(), values, events),
		})
	}
}
