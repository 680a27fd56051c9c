package aliyun

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/matou-iot/matou/thing/loose"
)

// An Auth is a login that is no CONNECT: POST /auth over HTTPS
// [aliyun-device §7.1], or POST /auth/devicename before a CONNECT
// [aliyun-device §2.9]. Both sign clientId, deviceName, productKey and
// timestamp, those that were sent.
type Auth struct {
	ProductKey string
	DeviceName string
	ClientID   string
	SignMethod string // "" means hmacmd5
	Sign       string
	Timestamp  string // no window is enforced [aliyun-device §7.1]
}

// maxAuth is the longest body of POST /auth that is read, in bytes.
const maxAuth = 4 << 10

// ParseAuth reads the JSON of POST /auth, as loosely as devices write it.
func ParseAuth(body []byte) (Auth, error) {
	if len(body) > maxAuth {
		return Auth{}, fmt.Errorf("aliyun: a login of %d bytes is longer than %d", len(body), maxAuth)
	}
	strict, _, err := loose.Strictify(body)
	if err != nil {
		return Auth{}, err
	}
	var members map[string]any
	if err := json.Unmarshal(strict, &members); err != nil || members == nil {
		return Auth{}, errors.New("aliyun: the login is not a JSON object")
	}
	text := func(name string) string {
		switch v := members[name].(type) {
		case string:
			return v
		case float64: // a timestamp without quotes
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return ""
	}
	a := Auth{text("productKey"), text("deviceName"), text("clientId"), text("signmethod"), text("sign"), text("timestamp")}
	if a.SignMethod == "" {
		a.SignMethod = text("signMethod")
	}
	return a, nil
}

// ParsePreAuth reads the form of POST /auth/devicename.
func ParsePreAuth(body []byte) (Auth, error) {
	form, err := parseForm(body)
	if err != nil {
		return Auth{}, err
	}
	return authOf(form), nil
}

func authOf(form url.Values) Auth {
	a := Auth{
		form.Get("productKey"), form.Get("deviceName"), form.Get("clientId"), form.Get("signmethod"), form.Get("sign"), form.Get("timestamp"),
	}
	if a.SignMethod == "" {
		a.SignMethod = form.Get("signMethod")
	}
	return a
}

// Missing names the first member that has to be there and is not, "" for none.
func (a *Auth) Missing() string {
	for _, m := range [][2]string{{"productKey", a.ProductKey}, {"deviceName", a.DeviceName}, {"clientId", a.ClientID}, {"sign", a.Sign}} {
		if m[1] == "" {
			return m[0]
		}
	}
	return ""
}

// TakenApart is the client id and parameters of a CONNECT that would say the
// same. A bar in the client id is part of it.
func (a *Auth) TakenApart() ClientID {
	id := ClientID{Base: a.ClientID, Extended: true, Closed: true, Parameters: map[string]string{}}
	if a.SignMethod != "" {
		id.Parameters["signmethod"] = a.SignMethod
	}
	if a.Timestamp != "" {
		id.Parameters["timestamp"] = a.Timestamp
	}
	return id
}

// Codes that HTTP answers [aliyun-device §7.1].
const (
	HTTPSuccess         = 0
	HTTPCommonError     = 10000
	HTTPParameterError  = 10001
	HTTPAuthError       = 20000
	HTTPTokenExpired    = 20001
	HTTPTokenNull       = 20002
	HTTPTokenError      = 20003
	HTTPPublishError    = 30001
	HTTPTooManyRequests = 40000
)

var httpMessages = map[int]string{
	HTTPCommonError: "common error", HTTPParameterError: "param error", HTTPAuthError: "auth check error",
	HTTPTokenExpired: "token is expired", HTTPTokenNull: "token is null", HTTPTokenError: "check token error",
	HTTPPublishError: "publish message error", HTTPTooManyRequests: "request too many",
}

// AppendHTTPError appends the answer to a request over HTTP that failed.
func AppendHTTPError(dst []byte, code int) []byte {
	dst = fmt.Appendf(dst, `{"code":%d`, code)
	return append(appendMember(dst, "message", httpMessages[code]), '}')
}

// AppendHTTPToken appends the answer to POST /auth.
func AppendHTTPToken(dst []byte, token string) []byte {
	dst = append(dst, `{"code":0,"message":"success","info":{"token":`...)
	dst = strconv.AppendQuote(dst, token)
	return append(dst, "}}"...)
}

// AppendHTTPMessageID appends the answer to POST /topic: messageId is an
// integer above 2^53. data, JSON, is left out where it is empty.
func AppendHTTPMessageID(dst []byte, messageID uint64, data []byte) []byte {
	dst = append(dst, `{"code":0,"message":"success","info":{"messageId":`...)
	dst = strconv.AppendUint(dst, messageID, 10)
	if len(data) > 0 {
		dst = append(append(dst, `,"data":`...), data...)
	}
	return append(dst, "}}"...)
}

// AppendPreAuth appends the answer to POST /auth/devicename [aliyun-device §2.9].
func AppendPreAuth(dst []byte, iotID, iotToken, host string, port int) []byte {
	dst = append(dst, `{"code":200,"data":{"iotId":`...)
	dst = strconv.AppendQuote(dst, iotID)
	dst = appendMember(dst, "iotToken", iotToken)
	dst = append(dst, `,"resources":{"mqtt":{"host":`...)
	dst = strconv.AppendQuote(dst, host)
	return fmt.Appendf(dst, `,"port":%d}}},"message":"success"}`, port)
}

// AppendIdentity appends what a device is pushed that logged in with its
// certificate alone, on IdentityTopic.
func AppendIdentity(dst []byte, productKey, deviceName string) []byte {
	return append(appendNames(dst, productKey, deviceName), '}')
}

// IdentityTopic is where a device that has nothing but an X.509 certificate
// learns its names, without a subscription. The official C SDKs wait on it.
const IdentityTopic = "/ext/auth/identity/response"
