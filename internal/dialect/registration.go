package dialect

import "errors"

// A Registration is the request of a device that has only its product's secret
// to be told one of its own.
type Registration struct {
	Claim
	Free bool   // the device need not exist: it is made, and told a token
	Road string // "mqtt", "https" or "http"
	Addr string // where it came from
	As   any    // the dialect's own reading of it
}

// Registered is what a device that registered is told.
type Registered struct {
	Claim
	Secret string
	Free   bool
	Times  int  // it registered since it last connected, this one included
	Again  bool // so often that it seems not to listen
}

// A Registrar is a Dialect whose devices may register.
type Registrar interface {
	Dialect
	// Registration reads a login that asks for a secret; nil for others.
	Registration(l *Login) *Registration
	// Signed reports whether a registration is whole and signed with the
	// secret of its product.
	Signed(r *Registration, k Secrets) bool
	// DiagnoseRegistration names the mistake: why is what Enroll said of one
	// that is signed, nil of one that is not. known may be nil.
	DiagnoseRegistration(r *Registration, k Secrets, known Known, why *RegistrationError) *Diagnosis
	// StillRegisters is the note on a device that registers again and again.
	StillRegisters(r *Registered) Note
	// Welcome is what a device is told that registered over MQTT.
	Welcome(r *Registered) Downlink
}

// A RegistrationError is why a registration that is signed rightly is refused.
type RegistrationError struct {
	Why   error // one of the errors below
	Count int   // of ErrRegistrationFull and ErrRegistrationTooOften
}

// Error says why.
func (e *RegistrationError) Error() string { return e.Why.Error() }

// Unwrap makes errors.Is work.
func (e *RegistrationError) Unwrap() error { return e.Why }

// The reasons to refuse a registration.
var (
	ErrRegistrationOff         = errors.New("dynamic registration is switched off")
	ErrRegistrationFreeOff     = errors.New("registration of devices that do not exist is switched off")
	ErrRegistrationFull        = errors.New("the product has as many devices as registration may make")
	ErrRegistrationUnlisted    = errors.New("the name is not on the product's list")
	ErrRegistrationNoDevice    = errors.New("there is no such device")
	ErrRegistrationName        = errors.New("no device can have this name")
	ErrRegistrationDisabled    = errors.New("the device is disabled")
	ErrRegistrationActivated   = errors.New("the device has connected before")
	ErrRegistrationTooOften    = errors.New("the device registers too often")
	ErrRegistrationUnavailable = errors.New("the registration could not be written down")
)

// A Form is a login that is no CONNECT, taken apart: HTTP's and CoAP's.
type Form struct {
	ClientID  string
	Method    string // how it is signed, as it was sent
	Timestamp string
	Texts     []string // what may be signed where that is not as usual, the right one first
	Proved    bool     // the transport has proved already that the device knows its secret
}
