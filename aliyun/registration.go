package aliyun

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
)

// A Registration is a device's request to be told its secret, signed with the
// ProductSecret [aliyun-device §3].
type Registration struct {
	ProductKey string
	DeviceName string
	Random     string
	SignMethod string // as it was sent; "" means hmacmd5 over MQTT
	Sign       string // hex digits, in either case

	// Free asks for a token in place of a secret: the device need not have
	// been made before (authType=regnwl).
	Free bool
	// HTTP says that it came as a form. Over MQTT it came as a login, with
	// ClientID and, as it has to, over TLS.
	HTTP     bool
	TLS      bool
	ClientID string
}

// The topics on which a device that registers is told, without a subscription
// [aliyun-device §3.3, §3.4].
const (
	RegisterTopic     = "/ext/register"
	RegisterFreeTopic = "/ext/regnwl"
)

// RegistrationContent is the text that a registration signs [aliyun-device §3.2].
func RegistrationContent(productKey, deviceName, random string) string {
	return "deviceName" + deviceName + "productKey" + productKey + "random" + random
}

// maxForm is the longest form that is read, in bytes. C3's has less than 300.
const maxForm = 4 << 10

// ParseRegistrationForm reads the body of POST /auth/register/device. What is
// missing in it is for Diagnose to say; an error means that it is no form.
func ParseRegistrationForm(body []byte) (Registration, error) {
	form, err := parseForm(body)
	if err != nil {
		return Registration{}, err
	}
	return Registration{
		ProductKey: form.Get("productKey"), DeviceName: form.Get("deviceName"), Random: form.Get("random"),
		SignMethod: form.Get("signMethod"), Sign: form.Get("sign"), HTTP: true,
	}, nil
}

// parseForm reads a form that may have line ends and NULs behind it.
func parseForm(body []byte) (url.Values, error) {
	if len(body) > maxForm {
		return nil, fmt.Errorf("aliyun: a form of %d bytes is longer than %d", len(body), maxForm)
	}
	form, err := url.ParseQuery(strings.TrimRight(string(body), "\x00\r\n\t "))
	if err != nil {
		return nil, fmt.Errorf("aliyun: the body is no form: %w", err)
	}
	return form, nil
}

// ParseRegistration reads a CONNECT as a registration; false where it is an
// ordinary login.
func ParseRegistration(s Sent) (Registration, bool) {
	id, err := ParseClientID(s.ClientID)
	if err != nil {
		return Registration{}, false
	}
	kind := strings.ToLower(strings.TrimSpace(id.Parameters["authtype"]))
	if kind != "register" && kind != "regnwl" {
		return Registration{}, false
	}
	r := Registration{
		Random: strings.TrimSpace(id.Parameters["random"]), SignMethod: strings.TrimSpace(id.Parameters["signmethod"]),
		Sign: string(s.Password), Free: kind == "regnwl", TLS: s.TLS, ClientID: s.ClientID,
	}
	r.ProductKey, r.DeviceName, _ = ParseUsername(s.Username)
	return r, true
}

// Method is how the registration is signed; an unknown method is an error.
// Over HTTP it has to be named [aliyun-device §3.2].
func (r *Registration) Method() (Method, error) { return ParseMethod(r.SignMethod) }

// Verify reports whether the registration is signed with the ProductSecret.
func (r *Registration) Verify(productSecret string) bool {
	m, err := r.Method()
	return err == nil && productSecret != "" && r.Random != "" && r.signs(m, productSecret, RegistrationContent(r.ProductKey, r.DeviceName, r.Random))
}

func (r *Registration) signs(m Method, secret, text string) bool {
	return sameHex([]byte(r.Sign), Sign(m, secret, text))
}

// AppendRegistered appends the answer to a registration over HTTP, in the
// order and without the blanks that SDKs count on [aliyun-device §3.2].
func AppendRegistered(dst []byte, t Triple) []byte {
	dst = append(dst, `{"code":200,"data":`...)
	dst = AppendTriple(dst, t)
	return append(dst, `,"message":"success"}`...)
}

// AppendRegistrationRefused appends the answer to a registration, or to a
// pre-authentication, that is refused: the same shape with another code.
func AppendRegistrationRefused(dst []byte, code int, message string) []byte {
	dst = fmt.Appendf(dst, `{"code":%d,"data":{}`, code)
	return append(appendMember(dst, "message", message), '}')
}

// AppendTriple appends what is pushed to RegisterTopic [aliyun-device §3.3].
func AppendTriple(dst []byte, t Triple) []byte {
	dst = appendNames(dst, t.ProductKey, t.DeviceName)
	return append(appendMember(dst, "deviceSecret", t.DeviceSecret), '}')
}

// AppendToken appends what is pushed to RegisterFreeTopic [aliyun-device §3.4].
func AppendToken(dst []byte, productKey, deviceName, clientID, token string) []byte {
	dst = appendNames(dst, productKey, deviceName)
	dst = appendMember(dst, "clientId", clientID)
	return append(appendMember(dst, "deviceToken", token), '}')
}

func appendNames(dst []byte, productKey, deviceName string) []byte {
	i := len(dst)
	dst = appendMember(dst, "productKey", productKey)
	dst[i] = '{' // in place of the comma
	return appendMember(dst, "deviceName", deviceName)
}

// tokenDigits is how long a device token and its client id are: SDKs copy 16 to
// 64 letters and digits safely [aliyun-device §3.4].
const tokenDigits = 32

// DeviceToken is the token of a device that registered free of
// pre-registration, and the client id that it has to be used with. Both follow
// from the device's secret: a new secret makes them useless.
func DeviceToken(t Triple) (clientID, token string) {
	derive := func(what string) string {
		return Sign(HMACSHA256, t.DeviceSecret, what+"\n"+t.ProductKey+"\n"+t.DeviceName)[:tokenDigits]
	}
	return derive("clientId"), derive("deviceToken")
}

// TokenLogin reports whether a login is made with a token: securemode=-2 and
// no registration [aliyun-device §3.4].
func (c ClientID) TokenLogin() bool {
	return c.SecureMode() == "-2" && !strings.HasPrefix(strings.ToLower(c.Parameters["authtype"]), "reg")
}

// VerifyToken reports whether a login has the token of a device, and the client
// id that was handed out with it.
func VerifyToken(s Sent, deviceSecret string) bool {
	id, err := ParseClientID(s.ClientID)
	if err != nil || deviceSecret == "" || !id.TokenLogin() {
		return false
	}
	pk, dn, err := ParseUsername(s.Username)
	if err != nil {
		return false
	}
	clientID, token := DeviceToken(Triple{pk, dn, deviceSecret})
	return id.Base == clientID && sameHex(s.Password, token)
}

// RegistrationKnown is what the server knows about who registers.
type RegistrationKnown struct {
	ProductSecret         string
	PreviousProductSecret string
	DeviceSecret          string
	KnowsProduct          func(productKey string) bool // nil: nobody knows
}

// DiagnoseRegistration names the mistake in a registration; nil for one that is
// signed rightly [aliyun-device §3.5, §10 row 29].
func DiagnoseRegistration(r Registration, k RegistrationKnown) *Diagnosis {
	for _, look := range []func(*Registration, *RegistrationKnown) *Diagnosis{
		plainRegistration, missing, unsupportedMethod, unknownProduct,
	} {
		if d := look(&r, &k); d != nil {
			return d
		}
	}
	if r.Verify(k.ProductSecret) {
		return nil
	}
	for _, look := range []func(*Registration, *RegistrationKnown) *Diagnosis{
		otherProductSecret, otherText, otherForm,
	} {
		if d := look(&r, &k); d != nil {
			return d
		}
	}
	return r.say("aliyun-register-wrong-sign", "sign", "", "")
}

// say makes a diagnosis of a code; args fill its sentences.
func (r *Registration) say(code, field, received, expected string, args ...any) *Diagnosis {
	if field == "sign" && received == "" {
		received = r.shown()
	}
	if r.HTTP && field == "clientId" {
		field = "body"
	} else if !r.HTTP && field == "sign" {
		field = "password"
	}
	d := say(code, field, received, expected, args...)
	if r.ProductKey != "" && r.DeviceName != "" && r.Random != "" {
		d.StringToSign = RegistrationContent(r.ProductKey, r.DeviceName, r.Random)
	}
	return d
}

// shown is the signature as far as it may be shown: of what is none, or as long
// as a secret, its length.
func (r *Registration) shown() string {
	switch n := len(r.Sign); {
	case n == 0:
		return ""
	case isHex(r.Sign) && (n == 40 || n == 64):
		return r.Sign
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}

// say makes a diagnosis of a code that needs nothing of a login.
func say(code, field, received, expected string, args ...any) *Diagnosis {
	t, ok := texts[code]
	if !ok {
		t = coapTexts[code]
	}
	if expected == "" {
		expected = rights[code]
	}
	return &Diagnosis{
		Code: code, Field: field, Received: received, Expected: expected,
		Sentence: fill(t.sentence, args), SentenceZH: fillZH(t.sentenceZH, args), Advice: t.advice, AdviceZH: t.adviceZH,
	}
}

func plainRegistration(r *Registration, _ *RegistrationKnown) *Diagnosis {
	if r.HTTP || r.TLS {
		return nil
	}
	return r.say("aliyun-register-plain", "transport", "TCP", "TLS")
}

func missing(r *Registration, _ *RegistrationKnown) *Diagnosis {
	names := [...]string{"username", "username", "random", "password", "signmethod"}
	if r.HTTP {
		names = [...]string{"productKey", "deviceName", "random", "sign", "signMethod"}
	}
	for i, value := range []string{r.ProductKey, r.DeviceName, r.Random, r.Sign, r.SignMethod} {
		if value == "" && (r.HTTP || i < 4) { // over MQTT no signmethod means hmacmd5
			return r.say("aliyun-register-missing", names[i], "", names[i], names[i])
		}
	}
	return nil
}

func unsupportedMethod(r *Registration, _ *RegistrationKnown) *Diagnosis {
	if _, err := r.Method(); err == nil {
		return nil
	}
	field := "clientId"
	if r.HTTP {
		field = "signMethod"
	}
	return r.say("aliyun-register-method", field, r.SignMethod, "hmacsha256, hmacsha1 or hmacmd5", r.SignMethod)
}

func unknownProduct(r *Registration, k *RegistrationKnown) *Diagnosis {
	if k.KnowsProduct == nil || k.KnowsProduct(r.ProductKey) {
		return nil
	}
	if k.KnowsProduct(r.DeviceName) {
		return r.say("aliyun-names-swapped", "username", r.DeviceName+"&"+r.ProductKey, r.ProductKey+"&"+r.DeviceName)
	}
	return r.say("aliyun-unknown-product", "product", r.ProductKey, "the ProductKey of a product here", r.ProductKey)
}

// otherProductSecret finds the right text signed with another secret, or by
// another method.
func otherProductSecret(r *Registration, k *RegistrationKnown) *Diagnosis {
	text := RegistrationContent(r.ProductKey, r.DeviceName, r.Random)
	announced, _ := r.Method()
	for _, m := range methods {
		for _, o := range []struct{ code, secret string }{
			{"aliyun-register-other-method", k.ProductSecret},
			{"aliyun-register-device-secret", k.DeviceSecret},
			{"aliyun-register-previous-secret", k.PreviousProductSecret},
			{"aliyun-secret-stray", k.ProductSecret + "\n"},
			{"aliyun-secret-stray", k.ProductSecret + "\r\n"},
			{"aliyun-secret-stray", k.ProductSecret + " "},
		} {
			if strings.TrimSpace(o.secret) == "" || !r.signs(m, o.secret, text) {
				continue
			}
			if o.code == "aliyun-register-other-method" {
				return r.say(o.code, "clientId", "signmethod="+r.SignMethod, "signmethod="+string(m), string(m), string(announced))
			}
			return r.say(o.code, "sign", "", "")
		}
	}
	return nil
}

// otherText finds the right secret over a wrong text.
func otherText(r *Registration, k *RegistrationKnown) *Diagnosis {
	if k.ProductSecret == "" {
		return nil
	}
	m, _ := r.Method()
	id, _ := ParseClientID(r.ClientID)
	pk, dn, random := r.ProductKey, r.DeviceName, r.Random
	right := RegistrationContent(pk, dn, random)
	for _, v := range []struct{ what, text string }{
		{"clientId and the rest", "clientId" + id.Base + right},
		{"clientId and the names, without random", Content(id.Base, pk, dn, "")},
		{"clientId, the names and timestamp, as an ordinary login is", Content(id.Base, pk, dn, id.Timestamp())},
		{"random and timestamp", right + "timestamp" + id.Timestamp()},
		{"the names without random", Content("", pk, dn, "")},
		{"productKey before deviceName", "productKey" + pk + "deviceName" + dn + "random" + random},
		{"random first", "random" + random + "deviceName" + dn + "productKey" + pk},
		{"names and values with = and & between", "deviceName=" + dn + "&productKey=" + pk + "&random=" + random},
		{"the values without their names", dn + pk + random},
		{"signMethod, too", right + "signMethod" + r.SignMethod},
	} {
		if v.text != right && r.signs(m, k.ProductSecret, v.text) {
			return r.say("aliyun-register-other-text", "sign", v.what, right, v.what)
		}
	}
	return nil
}

// otherForm finds the right signature written otherwise than as hex digits.
func otherForm(r *Registration, k *RegistrationKnown) *Diagnosis {
	if k.ProductSecret == "" {
		return nil
	}
	m, _ := r.Method()
	sign := Sign(m, k.ProductSecret, RegistrationContent(r.ProductKey, r.DeviceName, r.Random))
	raw, _ := hex.DecodeString(sign)
	got := clean(r.Sign)
	form := ""
	switch {
	case r.Sign == string(raw):
		form = "raw bytes"
	case got == base64.StdEncoding.EncodeToString(raw):
		form = "Base64"
	case got != r.Sign && strings.EqualFold(got, sign):
		form = "blanks or line ends around it"
	case len(got) >= 8 && len(got) < len(sign) && strings.EqualFold(got, sign[:len(got)]):
		form = fmt.Sprintf("%d of %d digits", len(got), len(sign))
	case r.Sign == k.ProductSecret:
		return r.say("aliyun-register-secret-as-sign", "sign", "", "")
	default:
		return nil
	}
	return r.say("aliyun-register-form", "sign", form, fmt.Sprintf("%d hex digits", len(sign)), form, len(sign))
}

// DiagnoseToken names the mistake in a login with securemode=-2; nil where it
// has the right token, or where it is another kind of login.
func DiagnoseToken(s Sent, k Known) *Diagnosis {
	id, err := ParseClientID(s.ClientID)
	pk, dn, nameErr := ParseUsername(s.Username)
	if err != nil || nameErr != nil || !id.TokenLogin() || k.DeviceSecret == "" || VerifyToken(s, k.DeviceSecret) {
		return nil
	}
	clientID, token := DeviceToken(Triple{pk, dn, k.DeviceSecret})
	switch {
	case sameHex(s.Password, token):
		return say("aliyun-token-client", "clientId", id.Base, clientID, id.Base)
	case k.PreviousSecret != "":
		if _, old := DeviceToken(Triple{pk, dn, k.PreviousSecret}); sameHex(s.Password, old) {
			return say("aliyun-token-previous", "password", fmt.Sprintf("%d bytes", len(s.Password)), "")
		}
	}
	return say("aliyun-token-wrong", "password", fmt.Sprintf("%d bytes", len(s.Password)), "the deviceToken of /ext/regnwl")
}

// A registrationAnswer is what a refused registration is told: the code over
// HTTP and the return code of the CONNACK [aliyun-device §3.3, §3.5].
type registrationAnswer struct {
	code    int
	connack byte
	message string
}

var registrationAnswers = map[string]registrationAnswer{
	"aliyun-register-plain":       {460, 2, "request parameter error"},
	"aliyun-register-missing":     {460, 2, "request parameter error"},
	"aliyun-register-body":        {460, 2, "request parameter error"},
	"aliyun-register-method":      {6292, 2, "sign method not supported"},
	"aliyun-unknown-product":      {6250, 4, "product not found"},
	"aliyun-names-swapped":        {6250, 4, "product not found"},
	"aliyun-register-off":         {6288, 4, "dynamic registration is not enabled"},
	"aliyun-register-free-off":    {6288, 4, "dynamic registration is not enabled"},
	"aliyun-register-full":        {6288, 4, "dynamic registration is not enabled"},
	"aliyun-register-unlisted":    {6100, 4, "device not found"},
	"aliyun-register-no-device":   {6100, 4, "device not found"},
	"aliyun-register-name":        {6280, 2, "devicename not meet specs"},
	"aliyun-register-disabled":    {6204, 4, "device forbidden"},
	"aliyun-register-activated":   {6289, 4, "device is already activated"},
	"aliyun-register-too-often":   {429, 3, "too many requests"},
	"aliyun-register-unavailable": {500, 3, "server error"},
}

// RegistrationAnswer is what a device is told that was refused with a code of
// DiagnoseRegistration: the vendor's code and message over HTTP, and the return
// code of the CONNACK. All other codes are of signatures.
func RegistrationAnswer(code string) (http int, message string, connack byte) {
	if a, ok := registrationAnswers[code]; ok {
		return a.code, a.message, a.connack
	}
	return 6600, "signature verification failed", 4
}

// Explain is the diagnosis with a code of Codes, for what only the server can
// know: args fill its sentences.
func Explain(code, field, received, expected string, args ...any) *Diagnosis {
	return say(code, field, received, expected, args...)
}
