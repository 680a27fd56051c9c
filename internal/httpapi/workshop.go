package httpapi

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/refusal"
	"github.com/matou-iot/matou/internal/replay"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

type explainInput struct {
	Body struct {
		Hex     string `json:"hex,omitempty" doc:"Bytes as people paste them: 10 2A…, 0x10,0x2A, with or without blanks"`
		Base64  string `json:"base64,omitempty"`
		Version string `json:"version,omitempty" doc:"3.1, 3.1.1 or 5.0; left out it is guessed"`
	}
}

// An explained is the meaning of bytes, and the bytes.
type explained struct {
	packet.Explanation
	Hex packet.Hex `json:"hex" doc:"The bytes as they were read: what was pasted may have had words and comments around them"`
}

func (a *api) explain(_ context.Context, in *explainInput) (explained, error) {
	raw, err := pasted(in.Body.Hex, in.Body.Base64)
	if err != nil {
		return explained{}, err
	}
	v, err := versionOf(in.Body.Version)
	if err != nil {
		return explained{}, err
	}
	return explained{*packet.Explain(raw, v), raw}, nil
}

func pasted(text, encoded string) ([]byte, error) {
	switch {
	case text != "" && encoded == "":
		b, err := packet.ParseHex(text)
		if err != nil {
			return nil, fault.In("hex", fault.Invalid("%v", err))
		}
		return b, nil
	case encoded != "" && text == "":
		b, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return nil, fault.In("base64", fault.Invalid("%v", err))
		}
		return b, nil
	}
	return nil, fault.In("hex", fault.Invalid("give the bytes as hex or as base64, one of both"))
}

func versionOf(text string) (mqtt.Version, error) {
	switch text {
	case "":
		return 0, nil
	case "3.1":
		return mqtt.V31, nil
	case "3.1.1":
		return mqtt.V311, nil
	case "5.0", "5":
		return mqtt.V5, nil
	}
	return 0, fault.In("version", fault.Invalid("version %q is none of 3.1, 3.1.1, 5.0", text))
}

type doctorInput struct {
	Body struct {
		ClientID  string `json:"clientId,omitempty"`
		Username  string `json:"username,omitempty"`
		Password  string `json:"password,omitempty"`
		Hex       string `json:"hex,omitempty" doc:"The whole CONNECT instead of the three"`
		KeepAlive uint16 `json:"keepAlive,omitempty" doc:"Seconds; 60 where it is left out"`
		TLS       bool   `json:"tls,omitempty"`
		Secret    string `json:"secret,omitempty" doc:"DeviceSecret, key or password of a device that is not here: the login is judged by it alone"`
	}
}

// A finding is what the doctor found.
type finding struct {
	OK        bool               `json:"ok" doc:"The device would be let in"`
	Product   string             `json:"product,omitempty" doc:"Whom the login claims to be"`
	Device    string             `json:"device,omitempty"`
	Dialect   string             `json:"dialect,omitempty"`
	Notes     []dialect.Note     `json:"notes,omitempty"`
	Diagnosis *dialect.Diagnosis `json:"diagnosis,omitempty"`
	Page      string             `json:"page,omitempty" doc:"Where the documentation explains the diagnosis; GET /refusals/{code} has the same"`
}

// doctor judges a login as the gate would, without a connection.
func (a *api) doctor(ctx context.Context, in *doctorInput) (finding, error) {
	hello, err := in.connect()
	if err != nil {
		return finding{}, err
	}
	from := broker.Origin{Transport: "tcp"}
	if in.Body.TLS {
		from.Transport = "tls"
	}
	if in.Body.Secret != "" {
		return a.judgeElsewhere(hello, from, in.Body.Secret)
	}
	o, err := a.Gate.Judge(ctx, hello, from)
	page := ""
	if o.Diagnosis != nil {
		page = refusal.Path(o.Diagnosis.Code)
	}
	return finding{
		Page: page,
		OK:   err == nil && o.Diagnosis == nil, Product: o.Claim.Product, Device: o.Claim.Device, Dialect: o.Dialect,
		Notes: o.Notes, Diagnosis: o.Diagnosis,
	}, err
}

// judgeElsewhere judges a login by the secret that somebody knows, as the
// vendor's cloud would: nothing that is kept here is asked.
func (a *api) judgeElsewhere(hello *packet.Connect, from broker.Origin, secret string) (finding, error) {
	vendor := string(replay.IdentityOf(hello).Vendor)
	speaks, ok := a.Dialects.ByName(vendor)
	if !ok {
		return finding{}, fault.Unavailable("the dialect %s is not part of this build", vendor)
	}
	l, k, now := gate.LoginOf(hello, from), dialect.Secrets{Device: secret}, time.Now()
	found := finding{Dialect: vendor}
	claims := speaks.Claim(&l)
	if len(claims) > 0 {
		found.Product, found.Device = claims[0].Product, claims[0].Device
		v := speaks.Verify(&l, claims[0], k, dialect.Lenient, now)
		found.OK, found.Notes, found.Diagnosis = v.OK, v.Notes, v.Diagnosis
	}
	if !found.OK && found.Diagnosis == nil {
		found.Diagnosis = speaks.Diagnose(&l, k, nil, dialect.Lenient, now)
	}
	if found.Diagnosis != nil {
		found.OK, found.Page = false, refusal.Path(found.Diagnosis.Code)
	}
	return found, nil
}

func (in *doctorInput) connect() (*packet.Connect, error) {
	b := &in.Body
	if b.Hex == "" {
		if b.KeepAlive == 0 {
			b.KeepAlive = 60
		}
		return &packet.Connect{
			Version: mqtt.V311, CleanStart: true, KeepAlive: b.KeepAlive, ClientID: b.ClientID,
			HasUsername: b.Username != "", Username: b.Username, HasPassword: b.Password != "", Password: []byte(b.Password),
		}, nil
	}
	raw, err := packet.ParseHex(b.Hex)
	if err != nil {
		return nil, fault.In("hex", fault.Invalid("%v", err))
	}
	h, err := packet.ParseHeader(raw)
	if err != nil || h.Type != packet.TypeConnect || len(raw) != h.Size+h.Remaining {
		return nil, fault.In("hex", fault.Invalid("these bytes are not one whole CONNECT; POST /explain says why"))
	}
	c := new(packet.Connect)
	if err := c.Decode(h, raw[h.Size:], 0); err != nil {
		return nil, fault.In("hex", fault.Invalid("%v; POST /explain shows where", err))
	}
	return c, nil
}
