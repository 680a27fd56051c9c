package packet

import "slices"

// Clone is a deep copy of p that shares no memory with it, nor with the bytes
// it was decoded from. It is nil for nil and for a type that is none of this
// package's.
func Clone(p Packet) Packet {
	switch p := p.(type) {
	case *Connect:
		c := *p
		c.Will = p.Will.clone()
		c.Password = slices.Clone(p.Password)
		c.Properties = p.Properties.clone()
		return &c
	case *Connack:
		return &Connack{p.SessionPresent, p.Reason, p.Properties.clone()}
	case *Publish:
		c := *p
		c.Topic, c.Payload = slices.Clone(p.Topic), slices.Clone(p.Payload)
		c.Properties = p.Properties.clone()
		return &c
	case *Puback:
		return &Puback{p.ID, p.Reason, p.Properties.clone()}
	case *Pubrec:
		return &Pubrec{p.ID, p.Reason, p.Properties.clone()}
	case *Pubrel:
		return &Pubrel{p.ID, p.Reason, p.Properties.clone()}
	case *Pubcomp:
		return &Pubcomp{p.ID, p.Reason, p.Properties.clone()}
	case *Subscribe:
		return &Subscribe{p.ID, slices.Clone(p.Subscriptions), p.Properties.clone()}
	case *Suback:
		return &Suback{p.ID, slices.Clone(p.Reasons), p.Properties.clone()}
	case *Unsubscribe:
		return &Unsubscribe{p.ID, slices.Clone(p.Filters), p.Properties.clone()}
	case *Unsuback:
		return &Unsuback{p.ID, slices.Clone(p.Reasons), p.Properties.clone()}
	case *Pingreq:
		return &Pingreq{}
	case *Pingresp:
		return &Pingresp{}
	case *Disconnect:
		return &Disconnect{p.Reason, p.Properties.clone()}
	case *Auth:
		return &Auth{p.Reason, p.Properties.clone()}
	}
	return nil
}

func (w *Will) clone() *Will {
	if w == nil {
		return nil
	}
	c := *w
	c.Payload = slices.Clone(w.Payload)
	c.Properties = w.Properties.clone()
	return &c
}

func (p *Properties) clone() *Properties {
	if p == nil {
		return nil
	}
	c := *p
	c.CorrelationData = slices.Clone(p.CorrelationData)
	c.AuthData = slices.Clone(p.AuthData)
	c.SubscriptionIDs = slices.Clone(p.SubscriptionIDs)
	c.UserProperties = slices.Clone(p.UserProperties)
	for _, n := range []**byte{&c.PayloadFormat, &c.RequestProblemInfo, &c.RequestResponseInfo, &c.MaximumQoS,
		&c.RetainAvailable, &c.WildcardAvailable, &c.SubscriptionIDAvailable, &c.SharedAvailable} {
		*n = clonePointer(*n)
	}
	for _, n := range []**uint16{&c.ServerKeepAlive, &c.ReceiveMaximum, &c.TopicAliasMaximum, &c.TopicAlias} {
		*n = clonePointer(*n)
	}
	for _, n := range []**uint32{&c.MessageExpiry, &c.SessionExpiry, &c.WillDelay, &c.MaximumPacketSize} {
		*n = clonePointer(*n)
	}
	return &c
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}
