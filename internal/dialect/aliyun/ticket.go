package aliyun

import (
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
)

// TicketLife is how long a token of /auth or /auth/devicename is good
// [aliyun-device §2.9, §7.1].
const TicketLife = 7 * 24 * time.Hour

// A ticket proves until some time that a device has logged in. It follows from
// the device's secret: nothing is kept of it, it survives a restart, and
// another secret ends it. What it is for is signed with it.
//
//	expiry in seconds, base 36 - 32 hex digits
func ticket(purpose, secret string, c dialect.Claim, until time.Time) string {
	expiry := strconv.FormatInt(until.Unix(), 36)
	return expiry + "-" + ticketMAC(purpose, secret, c, expiry)
}

const ticketDigits = 32

func ticketMAC(purpose, secret string, c dialect.Claim, expiry string) string {
	return vendor.Sign(vendor.HMACSHA256, secret, purpose+"\n"+c.Product+"\n"+c.Device+"\n"+expiry)[:ticketDigits]
}

// A TicketState is what a ticket is worth.
type TicketState byte

// The states.
const (
	TicketWrong TicketState = iota
	TicketGood
	TicketExpired
	TicketPrevious // of the secret before it was reset
)

// examine says what a ticket is worth, and until when it was.
func examine(purpose string, k dialect.Secrets, c dialect.Claim, t string, now time.Time) (TicketState, time.Time) {
	expiry, mac, _ := strings.Cut(t, "-")
	seconds, err := strconv.ParseInt(expiry, 36, 64)
	if err != nil {
		return TicketWrong, time.Time{}
	}
	until := time.Unix(seconds, 0).UTC()
	by := func(secret string) bool {
		return secret != "" && subtle.ConstantTimeCompare([]byte(mac), []byte(ticketMAC(purpose, secret, c, expiry))) == 1
	}
	switch {
	case by(k.Device) && now.Before(until):
		return TicketGood, until
	case by(k.Device):
		return TicketExpired, until
	case by(k.PreviousDevice):
		return TicketPrevious, until
	}
	return TicketWrong, until
}

// What tickets are for.
const (
	forHTTP = "matou http token"
	forMQTT = "matou iot token"
)

// HTTPToken is the token of POST /auth. It names the device: a POST /topic says
// nothing else of who it is.
func HTTPToken(c dialect.Claim, secret string, now time.Time) string {
	return ticket(forHTTP, secret, c, now.Add(TicketLife)) + "-" + iotID(c)
}

// ParseHTTPToken reads whose token it claims to be.
func ParseHTTPToken(token string) (c dialect.Claim, ticket string, ok bool) {
	parts := strings.SplitN(token, "-", 3)
	if len(parts) != 3 {
		return c, "", false
	}
	c, ok = parseIoTID(parts[2])
	return c, parts[0] + "-" + parts[1], ok
}

// CheckHTTPToken says what the ticket of a token is worth, and until when.
func CheckHTTPToken(c dialect.Claim, ticket string, k dialect.Secrets, now time.Time) (TicketState, time.Time) {
	return examine(forHTTP, k, c, ticket, now)
}

// IoTLogin is user name and password that a pre-authentication hands out: C3
// has 64 bytes for each [aliyun-device §2.9].
func IoTLogin(c dialect.Claim, secret string, now time.Time) (id, token string) {
	return iotID(c), ticket(forMQTT, secret, c, now.Add(TicketLife))
}

// iotID names a device in letters, digits, - and _.
func iotID(c dialect.Claim) string {
	return base64.RawURLEncoding.EncodeToString([]byte(c.Device + "&" + c.Product))
}

// maxIoTID is the longest that is decoded: two names of 64 bytes.
const maxIoTID = 176

func parseIoTID(s string) (dialect.Claim, bool) {
	if len(s) > maxIoTID {
		return dialect.Claim{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return dialect.Claim{}, false
	}
	pk, dn, err := vendor.ParseUsername(string(raw))
	return dialect.Claim{Product: pk, Device: dn}, err == nil
}

func isIoTID(username string) bool {
	_, ok := parseIoTID(username)
	return ok
}

// verifyIoTLogin checks iotId and iotToken; the client id is free.
func verifyIoTLogin(l *dialect.Login, c dialect.Claim, k dialect.Secrets, now time.Time) bool {
	if who, ok := parseIoTID(l.Username); !ok || who != c {
		return false
	}
	state, _ := examine(forMQTT, k, c, string(l.Password), now)
	return state == TicketGood
}

// unavailable is the CONNACK of a bad iotId or iotToken [aliyun-device §2.6].
const unavailable = 3

func diagnoseIoTLogin(l *dialect.Login, k dialect.Secrets, now time.Time, known dialect.Known) *dialect.Diagnosis {
	c, _ := parseIoTID(l.Username)
	d := vendor.Explain("aliyun-iot-token-wrong", "password", strconv.Itoa(len(l.Password))+" bytes", "the iotToken of /auth/devicename")
	state, until := examine(forMQTT, k, c, string(l.Password), now)
	switch {
	case known != nil && !known.KnowsProduct(c.Product):
		d = vendor.Explain("aliyun-unknown-product", "username", c.Product, "", c.Product)
	case known != nil && !known.KnowsDevice(c.Product, c.Device):
		d = vendor.Explain("aliyun-unknown-device", "username", c.Device, "", c.Product, c.Device)
	case state == TicketGood:
		return nil
	case state == TicketExpired:
		d = vendor.Explain("aliyun-iot-token-expired", "password", until.Format(time.RFC3339), "a token that is good", until.Format(time.RFC3339))
	case state == TicketPrevious:
		d = vendor.Explain("aliyun-iot-token-previous", "password", "the token of the secret before", "")
	}
	out := Diagnosis(d)
	out.Connack = unavailable
	return out
}
