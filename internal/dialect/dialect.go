// Package dialect is what Matou asks of a vendor: whom does a login claim to
// be, does its signature hold, what does a topic and payload say, and how is
// a command said so that the device understands. One file a concern, one
// folder a vendor; a third vendor is one more folder and nothing else.
//
// It opens no socket and knows no database: secrets and models come in as
// arguments, reports and bytes go out.
package dialect

import (
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/thing"
)

// A Dialect speaks one vendor's device protocol. Implementations are
// stateless: any number of goroutines may call one at once.
type Dialect interface {
	// Name is the word for the dialect everywhere: "aliyun", "onenet", "mqtt".
	Name() string

	// Claim reads whom a login says it is, before anything is verified.
	// Several claims come back where a login can be read in more ways than
	// one, the likeliest first; none where the dialect cannot make sense of it.
	Claim(l *Login) []Claim
	// Verify judges a login against the secrets of the device it claims to be.
	Verify(l *Login, c Claim, k Secrets, mode Strictness, now time.Time) Verdict
	// Diagnose names the mistake in a refused login. known may be nil.
	Diagnose(l *Login, k Secrets, known Known, mode Strictness, now time.Time) *Diagnosis
	// Session says how the vendor's sessions behave.
	Session(l *Login, mode Strictness) Session

	// MaySubscribe judges a filter of the device: the granted quality, or a
	// failure code, and for a failure the reason.
	MaySubscribe(c Claim, filter string, qos mqtt.QoS, mode Strictness) (mqtt.ReasonCode, *Diagnosis)
	// Uplink reads one PUBLISH of the device into up, which the caller reuses.
	// It keeps nothing of topic and payload beyond the call except through up.
	Uplink(c Claim, topic, payload []byte, model *thing.Model, mode Strictness, up *Uplink)
	// Answer says what a request of Uplink is told: result is what serving it
	// gave, err why it failed, a fault of package fault or an error of this
	// package. No downlinks mean that there is nothing to say.
	Answer(r Request, result any, err error) []Downlink
	// Unasked reports whether a downlink on topic reaches the device even if
	// it never subscribed.
	Unasked(c Claim, topic string) bool

	// Set says a property set, Invoke a service call. id is the command's id,
	// decimal digits.
	Set(c Claim, id string, values []thing.Argument, model *thing.Model) Downlink
	Invoke(c Claim, id string, service *thing.Service, input []thing.Argument, model *thing.Model) Downlink

	// Credentials returns what a device needs to log in, one entry a sign
	// method, the usual one first.
	Credentials(c Claim, k Secrets, o CredentialOptions) ([]Credentials, error)
	// ImportModel reads the vendor's model file; ExportModel writes it.
	ImportModel(doc []byte) (*thing.Model, error)
	ExportModel(product string, m *thing.Model) ([]byte, error)
}

// A Login is what a CONNECT says about who is there.
type Login struct {
	ClientID     string
	Username     string
	Password     []byte
	KeepAlive    uint16 // seconds
	Version      mqtt.Version
	CleanSession bool
	Will         bool
	TLS          bool
	Form         *Form // of a login that is no CONNECT, in place of ClientID
}

// A Claim is the identity a login asks for.
type Claim struct {
	Product string // ProductKey or product id
	Device  string // DeviceName
}

// Secrets are the keys that may have signed a login. Empty means there is none.
type Secrets struct {
	Device          string
	PreviousDevice  string
	Product         string
	PreviousProduct string
}

// Known answers what exists, so that a diagnosis can tell a wrong name from a
// wrong secret.
type Known interface {
	KnowsProduct(product string) bool
	KnowsDevice(product, device string) bool
}

// A Verdict is the judgement on a login's signature.
type Verdict struct {
	OK        bool
	Notes     []Note     // what the vendor's cloud would have minded
	Diagnosis *Diagnosis // why not, where Verify already knows; Diagnose finds the rest
}

// A Note is something accepted that the vendor would not accept, or that will
// hurt later.
type Note struct {
	Code       string `json:"code"`
	Sentence   string `json:"sentence"`
	SentenceZH string `json:"sentenceZh"`
}

// A Diagnosis names a mistake, the field it is in, what came and what would
// have been right. It never holds a secret; RightLogin is derived from one.
type Diagnosis struct {
	Code         string       `json:"code"`
	Field        string       `json:"field"`
	Received     string       `json:"received"`
	Expected     string       `json:"expected"`
	Sentence     string       `json:"sentence"`
	SentenceZH   string       `json:"sentenceZh"`
	Advice       string       `json:"advice"`
	AdviceZH     string       `json:"adviceZh"`
	StringToSign string       `json:"stringToSign,omitempty"`
	RightLogin   *Credentials `json:"rightLogin,omitempty"`

	Connack byte `json:"-"` // the return code where it is not 4
	Silent  bool `json:"-"` // the vendor ends the connection without a CONNACK
}

// Credentials are what a device puts into its CONNECT and where it connects.
type Credentials struct {
	Method   string `json:"method,omitempty"`
	ClientID string `json:"clientId"`
	Username string `json:"username"`
	Password string `json:"password"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
}

// CredentialOptions are the choices a person has.
type CredentialOptions struct {
	Host      string // where the device will connect
	Port      int
	TLS       bool
	ClientID  string    // Aliyun only; empty: product.device
	Timestamp string    // Aliyun only; empty: none is signed
	Expiry    time.Time // OneNET only; zero: a year from now
	Now       time.Time
}

// Session is how long and how a vendor's sessions live.
type Session struct {
	KeepAlive         uint16 // seconds to enforce, 0 as asked
	KeepSubscriptions bool
	MaxQoS            mqtt.QoS
	IgnoreRetain      bool
	IgnoreWill        bool
	Expiry            time.Duration // of an offline session, 0 the broker's default
}

// Strictness is how exactly a product holds its devices to the rules.
type Strictness byte

// The degrees of strictness.
const (
	Lenient Strictness = iota // as tolerant as the vendor's real back end, or more
	Strict                    // the written rules
	Open                      // any credentials of a known device; for the lab
)

// A Downlink is a message for the device.
type Downlink struct {
	Topic   string
	Payload []byte
	Shown   []byte // what the timeline shows in place of a payload that holds a secret; nil: the payload
}

// Visible is what the timeline shows of the payload.
func (d *Downlink) Visible() []byte {
	if d.Shown != nil {
		return d.Shown
	}
	return d.Payload
}

// A Set is the dialects that a house speaks.
type Set []Dialect

// ByName finds a dialect by its name.
func (s Set) ByName(name string) (Dialect, bool) {
	for _, d := range s {
		if d.Name() == name {
			return d, true
		}
	}
	return nil, false
}

// A Subject is a device that logged in: who it is and how it speaks. Only who
// else speaks on its connection changes while that lasts.
type Subject struct {
	Claim
	Dialect  Dialect
	Mode     Strictness
	Greeting *Downlink    // what it is told right after its login; nil for nothing
	Meter    Meter        // counts what it does; nil: nobody does
	Subs     Subs         // the sub-devices of a gateway that are logged in
	Rates    Rates        // of what the connection says
	Pace     trace.Pace   // of what the subject says: its connection's goroutine's
	Held     atomic.Value // what uplinks keep at hand from one to the next
	Asked    Asked        // of what the device asks
}

// Session is the name of the subject's session, product and device with a
// slash between.
func (c Claim) Session() string { return c.Product + "/" + c.Device }
