package dialect

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/thing"
)

// Gateways is what a dialect knows of gateways and the sub-devices that they
// carry on their own connection. One whose devices carry none does not
// implement it.
type Gateways interface {
	// Owner is the part product/device of a topic or filter in which a gateway
	// may write a sub-device's names in place of its own; nil where a topic
	// names nobody or only the gateway itself may. It allocates nothing.
	Owner(topic []byte) []byte
	// MustLogin reports whether a sub-device has to log in before it is heard
	// and told anything; otherwise it is enough that the gateway has it.
	MustLogin() bool
	// LoginTopic is where a gateway logs a sub-device in.
	LoginTopic(gateway, sub Claim) string
	// Prove judges what came to prove that a gateway may speak for a
	// sub-device: nil where it does.
	Prove(s *SubDevice, k, gateway Secrets, now time.Time) *Diagnosis
	// Through turns what a sub-device is told into what its gateway is told;
	// false for what a gateway cannot pass on.
	Through(gateway Claim, d Downlink) (Downlink, bool)
	// Notify says what a gateway is told without having asked.
	Notify(n *Notice) []Downlink
	// Acknowledges reports whether a topic of a sub-device answers such a
	// notice of its end: it comes when the sub-device may speak no more.
	Acknowledges(topic []byte) bool
}

// A SubDevice is a sub-device as its gateway names it.
type SubDevice struct {
	Claim
	ClientID     string // as it would be in a CONNECT, "" where it has none
	KeepSession  bool   // of a login: what it is told with QoS 1 while it is away waits for it
	Registration bool   // the proof is made with the secret of its product
	Proof        any    // the dialect's own; nil where it asks for none
}

// The requests of gateways. The results name the sub-devices in the order of
// the request.
type (
	// A TopoAdd makes devices sub-devices of the gateway. Its result is a []Claim.
	TopoAdd struct {
		Ask
		Subs []SubDevice
	}
	// A TopoDelete ends that. Its result is a []Claim.
	TopoDelete struct {
		Ask
		Subs []SubDevice
	}
	// A TopoGet asks for all sub-devices of the gateway. Its result is a []Claim.
	TopoGet struct{ Ask }
	// SubsFound tells which devices the gateway sees around it. Its result is Done.
	SubsFound struct {
		Ask
		Subs []SubDevice
	}
	// A SubRegister asks for the secrets of devices. Its result is a []Registered.
	SubRegister struct {
		Ask
		Subs []SubDevice
	}
	// A SubUnregister gives sub-devices back. Its result is a []Claim.
	SubUnregister struct {
		Ask
		Subs []SubDevice
	}
	// A ProxyRegister asks for the secrets of devices, each of which is proved
	// with the secret of its product. Its result is a Registrations.
	ProxyRegister struct {
		Ask
		Subs []SubDevice
	}
	// A SubLogin lets sub-devices in on the gateway's connection, all of them or
	// none. Its result is a []Claim.
	SubLogin struct {
		Ask
		Subs  []SubDevice
		Batch bool
		Most  int // that may be logged in with them; 0: as many as anywhere
	}
	// A SubLogout ends that. Its result is a []Claim.
	SubLogout struct {
		Ask
		Subs  []SubDevice
		Batch bool
	}
)

// Registrations are what came of a ProxyRegister.
type Registrations struct {
	Made   []Registered
	Failed []NotRegistered
}

// A NotRegistered is a device that was not, and why.
type NotRegistered struct {
	Claim
	Why error
}

// A SubFault is why a gateway's request is refused, for Dialect.Answer.
type SubFault byte

// The faults.
const (
	SubNoGateway       SubFault = iota + 1 // the product is none and strict, or a sub-device asks
	SubItself                              // a gateway is no sub-device of itself
	SubUnknownProduct                      // there is no such product
	SubUnknown                             // there is no such device
	SubUnfit                               // a gateway itself, or of another dialect
	SubUnproved                            // the signature or token is wrong
	SubDisabled                            // the device is disabled
	SubDeleted                             // the device was deleted
	SubTooMany                             // the gateway has as many as it may
	SubTooManyOnline                       // likewise of those that are online
	SubNotBound                            // the gateway does not have it
	SubElsewhere                           // another gateway has it
	SubTakenOver                           // it logged in elsewhere
	SubNoSession                           // it is not logged in
	SubTooOften                            // it logs in too often
	SubActivated                           // it connected before: its secret is not told again
	SubRegistrationOff                     // the product does not let its devices register
	SubBadName                             // no device may be called so
)

var subFaults = [...]string{
	SubNoGateway: "no gateway", SubItself: "the gateway itself", SubUnknownProduct: "unknown product", SubUnknown: "unknown device",
	SubUnfit: "unfit to be a sub-device", SubUnproved: "not proved", SubDisabled: "disabled", SubDeleted: "deleted",
	SubTooMany: "too many sub-devices", SubTooManyOnline: "too many sub-devices online", SubNotBound: "no sub-device of this gateway",
	SubElsewhere: "another gateway's sub-device", SubTakenOver: "connected elsewhere", SubNoSession: "not logged in",
	SubTooOften: "too many logins", SubActivated: "activated already", SubRegistrationOff: "registration is off", SubBadName: "bad name",
}

// Error names the fault in a few words.
func (f SubFault) Error() string {
	if int(f) < len(subFaults) && subFaults[f] != "" {
		return subFaults[f]
	}
	return "sub-device fault"
}

// A Notice is what a gateway is told without having asked.
type Notice struct {
	Kind    NoticeKind
	ID      string // of the message, decimal digits
	Gateway Claim
	Subs    []Claim  // whom it is about
	All     []Claim  // of the gateway, where its topology changed
	Why     SubFault // of SessionOver
	Product string   // of Permit; "" means all
	Seconds int      // of Permit
}

// A NoticeKind is what a Notice tells.
type NoticeKind byte

// The kinds of notices.
const (
	AskToAdd     NoticeKind = iota + 1 // please add these
	SubsAdded                          // they are sub-devices of the gateway now
	SubsRemoved                        // they are no more
	SubsEnabled                        // they may log in again
	SubsDisabled                       // they may not
	SubsDeleted                        // they do not exist any more
	SessionOver                        // they are not logged in, any more or at all
	Permit                             // let new ones in for a while
)

// Subs are the sub-devices that are logged in on one connection. The zero value
// has none. Any number of goroutines may use it at once.
type Subs struct {
	n  atomic.Int32
	mu sync.RWMutex
	by map[string]*Subject // by product/device
}

// Find returns the sub-device that owner, product/device, names; nil where
// there is none. Where there are none at all it costs nothing.
func (s *Subs) Find(owner []byte) *Subject {
	if s.n.Load() == 0 {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.by[string(owner)]
}

// Any reports whether there are any.
func (s *Subs) Any() bool { return s.n.Load() > 0 }

// Len is how many there are.
func (s *Subs) Len() int { return int(s.n.Load()) }

// All returns them, in no order.
func (s *Subs) All() []*Subject {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*Subject, 0, len(s.by))
	for _, sub := range s.by {
		all = append(all, sub)
	}
	return all
}

// Put adds a sub-device.
func (s *Subs) Put(sub *Subject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = make(map[string]*Subject)
	}
	s.by[sub.Session()] = sub
	s.n.Store(int32(len(s.by)))
}

// Drop takes a sub-device away.
func (s *Subs) Drop(c Claim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.by, c.Session())
	s.n.Store(int32(len(s.by)))
}

// Others answers who a gateway may speak for.
type Others interface {
	// Model returns the model of a device that the gateway may report for, or
	// why it may not.
	Model(gateway, sub Claim) (*thing.Model, *Diagnosis)
	// Stranger says why the gateway may not use the topic of another device,
	// and what it is told; nil where it is no gateway of any.
	Stranger(gateway *Subject, owner Claim) (*Diagnosis, []Downlink)
}

// A Part is what a report says of another device than the one on whose topic
// it came.
type Part struct {
	Claim
	Report []Reading
	Events []Event
}
