package dialect

import (
	"time"

	"github.com/matou-iot/matou/thing"
)

// A Shadow is what a device reported last and what applications want of it,
// under one version.
type Shadow struct {
	Reported, Desired []ShadowAttribute // in order of their names
	Version           int64
	UpdatedAt         time.Time // zero for a shadow that was never written
}

// A ShadowAttribute is one attribute of a shadow and when it was said.
type ShadowAttribute struct {
	Name  string
	Value thing.Value
	At    time.Time
}

// A ShadowUpdate reports attributes. Its result is a *Shadow.
type ShadowUpdate struct {
	Ask
	Version      int64
	Reset        bool // take it whatever its version, and begin anew at 0
	Reported     []thing.Argument
	ClearDesired bool
}

// A ShadowDelete takes attributes away. Its result is a *Shadow.
type ShadowDelete struct {
	Ask
	Version      int64
	Reset        bool
	Names        []string
	All          bool // every reported one
	ClearDesired bool
}

// A ShadowGet asks for the shadow. Its result is a *Shadow.
type ShadowGet struct{ Ask }

// Why a shadow does not answer as wished.
const (
	ErrShadowVersion requestError = "the version is not greater than that of the shadow"
	ErrShadowEmpty   requestError = "the shadow is empty"
	ErrShadowCount   requestError = "the shadow has too many attributes"
	ErrShadowSize    requestError = "the shadow is too large"
)

// A ShadowTeller is a dialect that tells a device when an application wants
// its shadow otherwise.
type ShadowTeller interface {
	TellShadow(c Claim, s *Shadow, now time.Time) []Downlink
}
