package httpgate

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
	vendor "github.com/matou-iot/matou/onenet"
)

// report serves POST /fuse/http/device/… and the older /studio/http/device/…
// [onenet §7]: the body is that of a publish on the topic that the query names,
// the header token that of a CONNECT.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	from, road := origin(r)
	topic := r.URL.Query().Get("topic")
	product, device, function := names(topic)
	if product == "" { // say it by the token alone
		t, _ := vendor.ParseToken([]byte(r.Header.Get("token")))
		product, device, _ = vendor.ParseRes(t.Res)
	}
	body, tooLarge, ok := read(r)
	if !ok {
		what := "the body did not come"
		if tooLarge {
			what = "the body is larger than 131072 bytes"
		}
		answer(w, appendErrno(nil, 2, what))
		return
	}
	who, why, err := s.Gate.Verify(r.Context(), dialect.Login{
		ClientID: device, Username: product, Password: []byte(r.Header.Get("token")), TLS: from.TLSVersion != 0, Form: &dialect.Form{ClientID: device},
		Version: mqtt.V311, CleanSession: true, KeepAlive: 60, // what a strict product minds is not of this road
	}, from, road)
	switch {
	case err != nil:
		s.down("report", err)
		answer(w, appendErrno(nil, 7, "internal error"))
		return
	case why != nil:
		answer(w, appendErrno(nil, 3, "auth failed"))
		return
	case function == "" && strings.HasSuffix(r.URL.Path, "/device/online"), function == "device/online":
		answer(w, appendErrno(nil, 0, "succ"))
		return
	case function == "":
		answer(w, appendErrno(nil, 2, "the query lacks topic=$sys/{pid}/{device}/…"))
		return
	}
	taken := s.Uplinks.Take(who, topic, body)
	if taken.Reason.Failed() {
		answer(w, appendErrno(nil, 2, "this topic cannot be used"))
		return
	}
	errno, message := 0, "succ"
	for _, a := range taken.Answers {
		var reply struct {
			Code int
			Msg  string
		}
		if json.Unmarshal(a.Payload, &reply) == nil && reply.Code != vendor.Success {
			errno, message = reply.Code, reply.Msg
		}
	}
	answer(w, appendErrno(nil, errno, message))
}

// names splits $sys/{pid}/{device}/function.
func names(topic string) (product, device, function string) {
	parts := strings.SplitN(topic, "/", 4)
	if len(parts) != 4 || parts[0] != "$sys" {
		return "", "", ""
	}
	return parts[1], parts[2], parts[3]
}

// appendErrno appends OneNET's short answer.
func appendErrno(dst []byte, errno int, message string) []byte {
	text, _ := json.Marshal(struct {
		Errno int    `json:"errno"`
		Error string `json:"error"`
	}{errno, message})
	return append(dst, text...)
}
