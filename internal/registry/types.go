// Package registry is what exists: products with their models, devices with
// their secrets, and whether a device is there. It holds the rules and declares
// the Store that remembers.
//
// What the hot path asks (product, device) is answered from a bounded cache;
// what it gets is shared and must not be changed.
package registry

import (
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/thing"
)

// A Product is a kind of device.
type Product struct {
	Key            string       `json:"key"` // ProductKey or product id
	Name           string       `json:"name"`
	Desc           string       `json:"desc,omitempty"`
	Dialect        string       `json:"dialect"` // aliyun, onenet, mqtt
	Strictness     Strictness   `json:"strictness"`
	DataModel      DataModel    `json:"dataModel"` // thing or, with OneNET, streams
	NodeType       NodeType     `json:"nodeType"`  // device, or gateway of sub-devices
	Secret         string       `json:"-"`         // Aliyun's ProductSecret, OneNET's access key
	PreviousSecret string       `json:"-"`
	Model          *thing.Model `json:"-"` // the published one, indexed, never nil
	ModelVersion   int          `json:"modelVersion"`
	Registration   Registration `json:"registration"` // of its devices by themselves
	CreatedAt      time.Time    `json:"createdAt"`
	UpdatedAt      time.Time    `json:"updatedAt"`
}

// Registration is what a product's devices may do to get their secrets by
// themselves, with that of the product [aliyun-device §3]. The zero value lets
// them do nothing.
type Registration struct {
	Enabled bool `json:"enabled" doc:"Devices that exist and never connected are told their secret"`
	Free    bool `json:"free" doc:"Devices need not exist before: they are made when they register"`
	Listed  bool `json:"listed" doc:"Only names on the product's list may register"`
	// MaxDevices is how many devices a product may have for another one to be
	// made by registration; 0 means DefaultMaxDevices.
	MaxDevices int `json:"maxDevices" doc:"No device is made by registration where the product has so many; 0 means 10000"`
}

// DefaultMaxDevices is how many devices a product may have for another one to
// be made by registration, where nobody says otherwise.
const DefaultMaxDevices = 10_000

// Bound is MaxDevices, or its default.
func (r Registration) Bound() int {
	if r.MaxDevices == 0 {
		return DefaultMaxDevices
	}
	return r.MaxDevices
}

// A Device is one thing that may connect.
type Device struct {
	Product        string            `json:"product"`
	Name           string            `json:"name"` // DeviceName
	Secret         string            `json:"-"`
	PreviousSecret string            `json:"-"` // before it was reset, so that a refusal can say so
	Nickname       string            `json:"nickname,omitempty"`
	Enabled        bool              `json:"enabled"`
	Tags           map[string]string `json:"tags,omitempty"`
	Batch          string            `json:"batch,omitempty"`       // with which it was made, "" for none
	Certificate    string            `json:"certificate,omitempty"` // SHA-256 of the one it has to show, in hex digits; "" for none
	SystemTags     map[string]string `json:"systemTags,omitempty"`  // what its SDK says of itself
	RemoteLog      bool              `json:"remoteLog,omitempty"`   // it shall post its log
	CreatedAt      time.Time         `json:"createdAt"`
	UpdatedAt      time.Time         `json:"updatedAt"`
}

// ID is the device's identity.
func (d Device) ID() ID { return ID{d.Product, d.Name} }

// An ID names a device.
type ID struct {
	Product string `json:"product"`
	Device  string `json:"device"`
}

// String is product and device with a slash between.
func (id ID) String() string { return id.Product + "/" + id.Device }

// ParseID reads product/device.
func ParseID(s string) (ID, error) {
	product, device, ok := strings.Cut(s, "/")
	if !ok || product == "" || device == "" {
		return ID{}, wording.Errorf("%q is not product/device", s)
	}
	return ID{product, device}, nil
}

// Strictness is how exactly a product holds its devices to the vendor's rules.
type Strictness byte

// The degrees of strictness.
const (
	Lenient Strictness = iota // as tolerant as the vendor's real back end
	Strict                    // the written rules
	Open                      // any credentials of a known device; for the lab
)

var strictnessWords = []string{Lenient: "lenient", Strict: "strict", Open: "open"}

// String is the word for the degree.
func (s Strictness) String() string { return word(strictnessWords, byte(s)) }

// MarshalText writes the word.
func (s Strictness) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word; "" means lenient.
func (s *Strictness) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = Lenient
		return nil
	}
	i, err := unword("strictness", strictnessWords, string(text))
	*s = Strictness(i)
	return err
}

// A State is whether a device is there.
type State byte

// The states [aliyun-device §8.1].
const (
	Inactive State = iota // never connected
	Online
	Offline
	Disabled // by an operator; whatever else is true
)

var stateWords = []string{Inactive: "INACTIVE", Online: "ONLINE", Offline: "OFFLINE", Disabled: "DISABLED"}

// String is the word for the state.
func (s State) String() string { return word(stateWords, byte(s)) }

// MarshalText writes the word.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word in any letter case.
func (s *State) UnmarshalText(text []byte) error {
	i, err := unword("state", stateWords, strings.ToUpper(string(text)))
	*s = State(i)
	return err
}

func word(words []string, i byte) string {
	if int(i) < len(words) {
		return words[i]
	}
	return fmt.Sprintf("unknown-%d", i)
}

func unword(what string, words []string, s string) (int, error) {
	for i, w := range words {
		if w == s {
			return i, nil
		}
	}
	return 0, wording.Errorf("%q is no %s: use one of %s", s, wording.Term(what), strings.Join(words, ", "))
}

// A Status is what is known of a device's presence.
type Status struct {
	State         State     `json:"state"`
	Since         time.Time `json:"since,omitzero"`
	ActivatedAt   time.Time `json:"activatedAt,omitzero"` // its first connection
	LastAddr      string    `json:"lastAddr,omitempty"`
	LastOnline    time.Time `json:"lastOnline,omitzero"`
	LastOffline   time.Time `json:"lastOffline,omitzero"`
	OfflineReason string    `json:"offlineReason,omitempty"`
	ReasonZH      string    `json:"offlineReasonZh,omitempty"` // not kept: said by who shows a status
	ClientID      string    `json:"clientId,omitempty"`
	Protocol      string    `json:"protocol,omitempty"`
	KeepAlive     int       `json:"keepAliveSeconds,omitempty"` // how often it promised to be heard, 0 where it did not
	Refusals      int64     `json:"refusals"`
	LastRefusal   *Refusal  `json:"lastRefusal,omitempty"`
}

// A Refusal is why a device was not let in.
type Refusal struct {
	At         time.Time `json:"at"`
	Addr       string    `json:"addr"`
	Code       string    `json:"code"`
	Field      string    `json:"field"`
	Sentence   string    `json:"sentence"`
	SentenceZH string    `json:"sentenceZh"`
	Advice     string    `json:"advice"`
	AdviceZH   string    `json:"adviceZh"`
	Expected   string    `json:"expected,omitempty"`
	Received   string    `json:"received,omitempty"`
	ReturnCode int       `json:"returnCode"` // of the CONNACK
	Count      int64     `json:"count"`      // times in a row
}

// A Change tells that something is not as it was.
type Change struct {
	Kind    ChangeKind
	ID      ID // of a product only Product is set
	Gateway ID // of a sub-device, the gateway that it has or, where it was deleted or unbound, had
}

// A ChangeKind is what changed.
type ChangeKind byte

// The kinds of changes.
const (
	ProductCreated ChangeKind = iota + 1
	ProductChanged
	ProductDeleted
	DeviceCreated
	DeviceChanged
	DeviceDisabled
	DeviceSecretReset
	DeviceDeleted
	DeviceEnabled
	SubBound
	SubUnbound
)
