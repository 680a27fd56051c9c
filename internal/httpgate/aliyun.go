package httpgate

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/mqtt"
)

// register serves POST /auth/register/device [aliyun-device §3.2]. The status
// is 200 whatever the code: SDKs look at the code.
func (s *Server) register(w http.ResponseWriter, r *http.Request) {
	from, road := origin(r)
	body, _, _ := read(r)
	form, err := vendor.ParseRegistrationForm(body)
	if err != nil {
		d := vendor.Explain("aliyun-register-body", "body", "", "a form", err)
		s.Gate.Refuse(r.Context(), s.aliyun, dialect.Claim{}, from, aliyun.Diagnosis(d))
		s.refuseRegistration(w, d.Code)
		return
	}
	told, why, err := s.Gate.Register(r.Context(), s.aliyun, aliyun.RegistrationOf(form, road), from)
	switch {
	case err != nil:
		s.down("registration", err)
		s.refuseRegistration(w, "aliyun-register-unavailable")
	case why != nil:
		s.refuseRegistration(w, why.Code)
	default:
		answer(w, vendor.AppendRegistered(nil, vendor.Triple{ProductKey: told.Product, DeviceName: told.Device, DeviceSecret: told.Secret}))
	}
}

func (s *Server) refuseRegistration(w http.ResponseWriter, code string) {
	number, message, _ := vendor.RegistrationAnswer(code)
	answer(w, vendor.AppendRegistrationRefused(nil, number, message))
}

// login is what an Auth says.
func login(a *vendor.Auth, tls bool) dialect.Login {
	return dialect.Login{
		Username: a.DeviceName + "&" + a.ProductKey, Password: []byte(a.Sign), TLS: tls,
		Form: &dialect.Form{ClientID: a.ClientID, Method: a.SignMethod, Timestamp: a.Timestamp},
	}
}

// preAuth serves POST /auth/devicename [aliyun-device §2.9].
func (s *Server) preAuth(w http.ResponseWriter, r *http.Request) {
	from, road := origin(r)
	refuse := func(code int, message string) { answer(w, vendor.AppendRegistrationRefused(nil, code, message)) }
	body, _, _ := read(r)
	a, err := vendor.ParsePreAuth(body)
	if d := faulty(&a, err); d != nil {
		s.Gate.Refuse(r.Context(), s.aliyun, dialect.Claim{Product: a.ProductKey, Device: a.DeviceName}, from, d)
		refuse(460, "param error")
		return
	}
	_, device, why, err := s.Gate.Login(r.Context(), login(&a, from.TLSVersion != 0), from, road)
	switch {
	case err != nil:
		s.down("pre-authentication", err)
		refuse(500, "unknown error")
	case why != nil && strings.HasPrefix(why.Code, "aliyun-unknown-"):
		refuse(5001, "meta device not found")
	case why != nil:
		refuse(401, "request auth error")
	default:
		c := dialect.Claim{Product: device.Product, Device: device.Name}
		id, token := aliyun.IoTLogin(c, device.Secret, s.Now())
		answer(w, vendor.AppendPreAuth(nil, id, token, s.Host, s.Port))
	}
}

// faulty says what is wrong with a login before anybody looks at its signature.
func faulty(a *vendor.Auth, err error) *dialect.Diagnosis {
	if err != nil {
		return aliyun.Diagnosis(vendor.Explain("aliyun-http-body", "body", "", "a login", err))
	}
	if m := a.Missing(); m != "" {
		return aliyun.Diagnosis(vendor.Explain("aliyun-http-missing", m, "", m, m))
	}
	return nil
}

// auth serves POST /auth [aliyun-device §7.1].
func (s *Server) auth(w http.ResponseWriter, r *http.Request) {
	from, road := origin(r)
	refuse := func(code int) { answer(w, vendor.AppendHTTPError(nil, code)) }
	body, _, _ := read(r)
	a, err := vendor.ParseAuth(body)
	if d := faulty(&a, err); d != nil {
		s.Gate.Refuse(r.Context(), s.aliyun, dialect.Claim{Product: a.ProductKey, Device: a.DeviceName}, from, d)
		refuse(vendor.HTTPParameterError)
		return
	}
	_, device, why, err := s.Gate.Login(r.Context(), login(&a, from.TLSVersion != 0), from, road)
	switch {
	case err != nil:
		s.down("login", err)
		refuse(vendor.HTTPCommonError)
	case why != nil && why.Code == gate.TooOften:
		refuse(vendor.HTTPTooManyRequests)
	case why != nil:
		refuse(vendor.HTTPAuthError)
	default:
		answer(w, vendor.AppendHTTPToken(nil, aliyun.HTTPToken(dialect.Claim{Product: device.Product, Device: device.Name}, device.Secret, s.Now())))
	}
}

// topic serves POST /topic/… [aliyun-device §7.1].
func (s *Server) topic(w http.ResponseWriter, r *http.Request) {
	from, road := origin(r)
	refuse := func(code int) { answer(w, vendor.AppendHTTPError(nil, code)) }
	who, code := s.bearer(r, from)
	if who == nil {
		refuse(code)
		return
	}
	topic := strings.TrimPrefix(r.URL.Path, "/topic")
	if r.URL.RawQuery != "" { // the vendor's own takes none; over MQTT it asks for something
		topic += "?" + r.URL.RawQuery
	}
	body, tooLarge, ok := read(r)
	var d *vendor.Diagnosis
	switch err := mqtt.ValidTopicName(topic); {
	case tooLarge:
		d = vendor.Explain("aliyun-http-too-large", "body", "", "", maxMessage)
	case !ok:
		refuse(vendor.HTTPParameterError)
		return
	case err != nil:
		d = vendor.Explain("aliyun-http-topic", "topic", topic, "", topic, err)
	case topic == "/":
		d = vendor.Explain("aliyun-http-topic", "topic", topic, "", topic, "it is empty")
	}
	if d != nil {
		s.Gate.Refuse(r.Context(), s.aliyun, who.Claim, from, aliyun.Diagnosis(d))
		refuse(vendor.HTTPParameterError)
		return
	}
	taken := s.Uplinks.Take(who, topic, body)
	switch {
	case taken.Reason == mqtt.MessageRateTooHigh:
		refuse(vendor.HTTPTooManyRequests)
		return
	case taken.Reason.Failed():
		refuse(vendor.HTTPPublishError)
		return
	}
	if taken.Route {
		s.Router.Publish(broker.Message{Topic: taken.Topic, Payload: taken.Payload, QoS: mqtt.AtLeastOnce})
	}
	s.Registry.Contacted(registry.ID{Product: who.Product, Device: who.Device}, s.Now(), from.Remote.String(), road)
	answer(w, vendor.AppendHTTPMessageID(nil, taken.Entry, worthSaying(taken.Answers)))
}

// worthSaying is the reply that a device on MQTT would get, where it says more
// than that all is well.
func worthSaying(answers []dialect.Downlink) []byte {
	for _, a := range answers {
		var reply struct {
			Code int
			Data json.RawMessage
		}
		if json.Unmarshal(a.Payload, &reply) != nil {
			continue
		}
		if reply.Code != 200 || !bytes.Equal(reply.Data, []byte("{}")) {
			return a.Payload
		}
	}
	return nil
}

// bearer finds out whose token a request has. Without one that is good it
// returns nil and the code to answer.
func (s *Server) bearer(r *http.Request, from broker.Origin) (*dialect.Subject, int) {
	token := r.Header.Get("password")
	c, ticket, ok := aliyun.ParseHTTPToken(token)
	if !ok { // whom the topic names looks for the reason
		t := vendor.ParseTopic([]byte(strings.TrimPrefix(r.URL.Path, "/topic")))
		c = dialect.Claim{Product: string(t.ProductKey), Device: string(t.DeviceName)}
	}
	refuse := func(code int, d *vendor.Diagnosis) (*dialect.Subject, int) {
		s.Gate.Refuse(r.Context(), s.aliyun, c, from, aliyun.Diagnosis(d))
		return nil, code
	}
	switch {
	case token == "":
		return refuse(vendor.HTTPTokenNull, vendor.Explain("aliyun-http-token-missing", "password", "", "the token of /auth"))
	case !ok:
		return refuse(vendor.HTTPTokenError, vendor.Explain("aliyun-http-token-wrong", "password", "", "the token of /auth"))
	}
	who, device, why, err := s.Gate.Known(r.Context(), s.aliyun, c)
	if err != nil {
		s.down("token", err)
		return nil, vendor.HTTPCommonError
	}
	if device == nil { // whether it exists is nobody's business
		return refuse(vendor.HTTPTokenError, vendor.Explain("aliyun-http-token-wrong", "password", "", "the token of /auth"))
	}
	state, until := aliyun.CheckHTTPToken(c, ticket, dialect.Secrets{Device: device.Secret, PreviousDevice: device.PreviousSecret}, s.Now())
	switch {
	case state == aliyun.TicketExpired:
		return refuse(vendor.HTTPTokenExpired, vendor.Explain("aliyun-http-token-expired", "password", until.Format(time.RFC3339), "a token that is good", until.Format(time.RFC3339)))
	case state == aliyun.TicketPrevious:
		return refuse(vendor.HTTPTokenError, vendor.Explain("aliyun-http-token-previous", "password", "", "a token of the present secret"))
	case state != aliyun.TicketGood:
		return refuse(vendor.HTTPTokenError, vendor.Explain("aliyun-http-token-wrong", "password", "", "the token of /auth"))
	case why != nil:
		s.Gate.Refuse(r.Context(), s.aliyun, c, from, why)
		return nil, vendor.HTTPAuthError
	}
	return who, 0
}
