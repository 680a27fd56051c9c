package ingest

import (
	"fmt"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt/packet"
)

// tooOften counts a request of a device. It returns true for one that a strict
// product's device makes beyond the ration that the vendor wrote down: it is
// dropped without a word, as what is beyond the rate of messages. Other
// devices are told when they ask ten times as often.
func (j *job) tooOften(p *packet.Publish) bool {
	vendor, ok := j.who.Dialect.(dialect.Rationed)
	if !ok || j.up.Request == nil {
		return false
	}
	ration := vendor.Ration(j.up.Request)
	if ration.PerSecond == 0 {
		return false
	}
	strict := j.who.Mode == dialect.Strict
	if !strict {
		ration.PerSecond *= dialect.Leniency
	}
	said := 0
	if j.direct == nil {
		said = j.who.Asked.Count(ration, j.arrived)
	} else {
		j.in.said.of(j.who.Claim, func(s *speech) { said = s.asked.Count(ration, j.arrived) })
	}
	if said <= ration.PerSecond {
		return false
	}
	if said == ration.PerSecond+1 {
		e := trace.Entry{
			Parent: j.entry, At: j.arrived, Product: j.who.Product, Device: j.who.Device, Kind: trace.Note, Direction: "up", Topic: string(p.Topic),
			Code:       j.who.Dialect.Name() + "-" + "request-rate",
			Sentence:   fmt.Sprintf("more than %d %s in a second", ration.PerSecond, ration.What),
			SentenceZH: fmt.Sprintf("一秒内%s超过 %d 次", ration.WhatZH, ration.PerSecond),
		}
		beyond(&e, strict)
		j.in.Trace.Record(e)
	}
	return strict
}
