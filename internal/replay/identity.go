package replay

import (
	"regexp"
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
	if t, err := onenet.ParseToken(unhidden(c.Password)); err == nil {
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

// hiddenSign is the signature of a token that a recording does not show.
var hiddenSign = regexp.MustCompile(`sign=\*+$`)

// unhidden makes a token whose signature was overwritten readable again, with
// a signature that is right for nobody.
func unhidden(token []byte) []byte { return hiddenSign.ReplaceAll(token, []byte("sign=AAAA")) }
