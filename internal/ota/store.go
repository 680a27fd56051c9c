package ota

import (
	"context"
	"time"
)

// A Store remembers packages, jobs, tasks and versions. It decides nothing.
// Implementations are in internal/store and pass storetest.OTA.
type Store interface {
	// View runs f on a state that does not change meanwhile.
	View(ctx context.Context, f func(Tx) error) error
	// Update runs f alone. What it did is durable when Update returns nil, and
	// was not done where it returns an error.
	Update(ctx context.Context, f func(Tx) error) error
}

// A Tx reads and, in Update, writes. It is for one goroutine and ends with the
// function that it was given to. What is not there is ErrNotFound.
type Tx interface {
	InsertPackage(p *Package) error
	Package(id string) (*Package, error)
	Packages(q PackageQuery) ([]Package, error) // newest first
	CountPackages() (int, error)
	DeletePackage(id string) error
	DigestInUse(sha256 string) (bool, error)

	InsertJob(j *Job, names []string) error // names are what Candidates with Job gives
	SaveJob(j *Job) error
	Job(id string) (*Job, error)
	Jobs(q JobQuery) ([]Job, error) // newest first
	CountTasks(job string) (map[State]int, error)

	EndTasks(job string, to State, en, zh string, at time.Time) error // those that are open

	// InsertTask gives the task its ID.
	InsertTask(t *Task) error
	SaveTask(t *Task) error
	Task(id int64) (*Task, error)
	Tasks(q TaskQuery) ([]Task, error) // in order of ID, or of Due where DueBy is set
	NextDue() (time.Time, error)       // zero: none

	// Candidates are devices of a product in order of their names.
	Candidates(q CandidateQuery) ([]Candidate, error)
	CountCandidates(q CandidateQuery) (int, error)

	SetVersion(product, device string, v ModuleVersion) error
	Versions(product, device string) ([]ModuleVersion, error) // in order of their modules
}

// A storeError is what a Store says of existence.
type storeError string

func (e storeError) Error() string { return string(e) }

// ErrNotFound is of what is not there.
const ErrNotFound storeError = "not found"

// A PackageQuery asks for packages. Empty members ask for nothing.
type PackageQuery struct {
	Product string
	Module  string
	Version string
	Limit   int
	After   string // ID of the last one of the page before
}

// A JobQuery asks for jobs. Empty members ask for nothing.
type JobQuery struct {
	Product string
	Package string
	Open    bool // neither completed nor cancelled
	Limit   int
	After   string // ID of the last one of the page before
}

// A TaskQuery asks for tasks. Empty members ask for nothing.
type TaskQuery struct {
	Job     string
	Product string
	Device  string
	Module  string
	State   State
	Open    bool      // not in a final state
	DueBy   time.Time // Due is set and not after it
	Parked  bool      // Due is not set
	Limit   int
	After   int64 // ID of the last one of the page before
}

// A CandidateQuery asks for devices that could be upgraded: of a product, with
// a module that is not known to run Target, if there is one, and that is known
// to run one of Sources, if there are any.
type CandidateQuery struct {
	Product string
	Module  string
	Target  string
	Sources []string
	Job     string // of the devices that were named with the job; "": of all
	Limit   int
	After   string // name of the last one of the page before
}

// A Candidate is a device with what it runs, "" where it never said.
type Candidate struct {
	Device  string
	Version string
}

// A ModuleVersion is what a module of a device runs.
type ModuleVersion struct {
	Module     string    `json:"module"`
	Version    string    `json:"version"`
	ReportedAt time.Time `json:"reportedAt"`
}
