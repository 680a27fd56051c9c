package replay

import (
	"strings"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/onenet"
)

// A Vendor is whose login a CONNECT is.
type Vendor string

// The vendors, and none.
const (
	Aliyun Vendor = "aliyun"
	OneNET Vendor = "onenet"
	Plain  Vendor = "mqtt"
)

// An Identity is whom a CONNECT claims to be.
type Identity struct {
	Vendor  Vendor
	Product string // "" where a plain login does not say
	Device  string
}

// IdentityOf reads it out of a login, without judging that.
func IdentityOf(c *packet.Connect) Identity {
	if t, err := onenet.ParseToken(c.Password); err == nil {
		product, device, ok := onenet.ParseRes(t.Res)
		if !ok || device == "" {
			product, device = c.Username, c.ClientID
		}
		return Identity{OneNET, product, device}
	}
	if pk, dn, err := aliyun.ParseUsername(c.Username); err == nil {
		return Identity{Aliyun, pk, dn}
	}
	if product, device, ok := strings.Cut(c.Username, "/"); ok {
		return Identity{Plain, product, device}
	}
	return Identity{Plain, "", c.ClientID}
}
