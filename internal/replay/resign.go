package replay

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/onenet"
)

// A Signer rewrites what a device sent so that it counts today: its CONNECT is
// signed anew, with a fresh timestamp or token, and all else in it stays.
type Signer struct {
	// Key finds the secret of the device that logs in: DeviceSecret, key, or
	// password.
	Key func(Identity) (string, error)
	// As is another device to speak for; its Vendor is that of the recording.
	// The zero value is the device of the recording.
	As Identity
	// TLS says how the device connects now: it is part of an Aliyun login.
	TLS bool
	// Now is the time to sign with.
	Now time.Time

	was, is Identity
}

// TokenLife is how long a fresh OneNET token is good.
const TokenLife = 365 * 24 * time.Hour

// Rewrite signs a CONNECT, and puts the other device's name into topics where
// there is one. It is what Options.Rewrite asks for.
func (s *Signer) Rewrite(p packet.Packet) (changed bool, err error) {
	switch p := p.(type) {
	case *packet.Connect:
		return true, s.connect(p)
	case *packet.Publish:
		topic := s.topic(string(p.Topic))
		changed = topic != string(p.Topic)
		p.Topic = []byte(topic)
	case *packet.Subscribe:
		for i := range p.Subscriptions {
			filter := s.topic(p.Subscriptions[i].Filter)
			changed = changed || filter != p.Subscriptions[i].Filter
			p.Subscriptions[i].Filter = filter
		}
	case *packet.Unsubscribe:
		for i := range p.Filters {
			filter := s.topic(p.Filters[i])
			changed = changed || filter != p.Filters[i]
			p.Filters[i] = filter
		}
	}
	return changed, nil
}

func (s *Signer) connect(c *packet.Connect) error {
	s.was = IdentityOf(c)
	s.is = s.was
	if s.As.Device != "" {
		s.is.Product, s.is.Device = s.As.Product, s.As.Device
	}
	key, err := s.Key(s.is)
	if err != nil {
		return err
	}
	if key == "" {
		return fmt.Errorf("sign for %s/%s: there is no secret", s.is.Product, s.is.Device)
	}
	c.HasUsername, c.HasPassword = true, true
	if c.Will != nil {
		c.Will.Topic = s.topic(c.Will.Topic)
	}
	switch s.was.Vendor {
	case Aliyun:
		return s.aliyun(c, key)
	case OneNET:
		return s.onenet(c, key)
	}
	if s.is.Product != "" {
		c.Username = s.is.Product + "/" + s.is.Device
	}
	if c.ClientID == s.was.Product+"."+s.was.Device {
		c.ClientID = s.is.Product + "." + s.is.Device
	}
	c.Password = []byte(key)
	return nil
}

// aliyun keeps the method and all parameters but the timestamp; securemode
// follows the connection [aliyun-device §2.4].
func (s *Signer) aliyun(c *packet.Connect, secret string) error {
	id, err := aliyun.ParseClientID(c.ClientID)
	if err != nil {
		return err
	}
	method, err := id.Method()
	if err != nil {
		return err
	}
	base := id.Base
	if base == s.was.Product+"."+s.was.Device {
		base = s.is.Product + "." + s.is.Device
	}
	timestamp := strconv.FormatInt(s.Now.UnixMilli(), 10)
	_, ext, _ := strings.Cut(c.ClientID, "|")
	var params []string
	for pair := range strings.SplitSeq(strings.TrimSuffix(ext, "|"), ",") {
		name, value, ok := strings.Cut(pair, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "timestamp":
			continue
		case "securemode":
			if value == "2" || value == "3" {
				pair = name + "=" + map[bool]string{true: "2", false: "3"}[s.TLS]
			}
		}
		if ok {
			params = append(params, pair)
		}
	}
	if !slices.ContainsFunc(params, func(p string) bool { return strings.HasPrefix(strings.ToLower(p), "signmethod=") }) {
		params = append(params, "signmethod="+string(method))
	}
	c.ClientID = base + "|" + strings.Join(append(params, "timestamp="+timestamp), ",") + "|"
	c.Username = s.is.Device + "&" + s.is.Product
	c.Password = []byte(aliyun.Sign(method, secret, aliyun.Content(base, s.is.Product, s.is.Device, timestamp)))
	return nil
}

// onenet keeps version and method of the token.
func (s *Signer) onenet(c *packet.Connect, key string) error {
	t, err := onenet.ParseToken(unhidden(c.Password))
	if err != nil {
		return err
	}
	fresh, err := onenet.NewToken(onenet.Options{
		ProductID: s.is.Product, DeviceName: s.is.Device, Key: key, Expiry: s.Now.Add(TokenLife).Unix(), Method: t.Method, Version: t.Version,
	})
	if errors.Is(err, onenet.ErrKey) {
		return fmt.Errorf("sign for %s/%s: %w", s.is.Product, s.is.Device, err)
	}
	if err != nil {
		return err
	}
	c.ClientID, c.Username, c.Password = s.is.Device, s.is.Product, []byte(fresh.String())
	return nil
}

// topic puts the device that speaks now into the place of the one recorded.
func (s *Signer) topic(topic string) string {
	if s.is == s.was || s.was.Product == "" {
		return topic
	}
	levels := strings.Split(topic, "/")
	for i := range len(levels) - 1 {
		if levels[i] == s.was.Product && levels[i+1] == s.was.Device {
			levels[i], levels[i+1] = s.is.Product, s.is.Device
			return strings.Join(levels, "/")
		}
	}
	return topic
}
