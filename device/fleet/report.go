package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/mqtt/client"
)

// A Progress is how far a run is.
type Progress struct {
	Elapsed   time.Duration
	Duration  time.Duration
	Devices   int
	Connected int64
	Posts     int64 // made
	Answered  int64
	Refused   int64
	Broken    int64 // connections, those that the scenario cut included
	P99       time.Duration
	// Of the posts that were answered since the Progress before, 0 of none.
	LastP50, LastP99 time.Duration
}

// A Result is what came of a run.
type Result struct {
	Scenario    string  `json:"scenario"`
	Seed        uint64  `json:"seed"`
	Interrupted bool    `json:"interrupted,omitempty"`
	Seconds     float64 `json:"seconds"`
	Devices     int     `json:"devices"`

	Connected int64 `json:"connected"` // at the end
	Came      int64 `json:"came"`      // devices that were connected at least once
	Returns   int64 `json:"returns"`   // reconnects
	Refused   int64 `json:"refused"`   // logins
	Failed    int64 `json:"failed"`    // attempts that did not get as far as an answer
	Broken    int64 `json:"broken"`    // connections lost
	Cut       int64 `json:"cut"`       // connections that the scenario broke

	Posts    int64 `json:"posts"`  // made
	Events   int64 `json:"events"` // among them
	Sent     int64 `json:"sent"`
	Resent   int64 `json:"resent"`
	Acked    int64 `json:"acknowledged"`
	Answered int64 `json:"answered"`
	Rejected int64 `json:"rejected"` // among the answered
	Dropped  int64 `json:"dropped"`  // by devices whose queue was full
	Lost     int64 `json:"lost"`     // never answered, the dropped included

	CommandsTaken    int64 `json:"commandsTaken"`    // by devices
	CommandsAnswered int64 `json:"commandsAnswered"` // by devices
	CommandsOrdered  int64 `json:"commandsOrdered"`  // of the cloud
	CommandsDone     int64 `json:"commandsDone"`     // the cloud says so

	Answers  Quantiles `json:"answerSeconds"`  // from sending a post to its answer
	Connects Quantiles `json:"connectSeconds"` // from dialling to the subscription
	Return   Quantiles `json:"returnSeconds"`  // from a break to the subscription
	Commands Quantiles `json:"commandSeconds"`

	Values       string  `json:"valuesDigest"` // of all values: the same scenario and seed give the same
	BytesADevice int64   `json:"bytesPerDevice"`
	Late         float64 `json:"lateSeconds"` // how late the fleet itself was at worst

	Causes []*Cause `json:"causes"`
	Checks []Check  `json:"checks"`
}

// Quantiles are delays in seconds.
type Quantiles struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	Most  float64 `json:"max"`
}

func quantiles(d *Delays) Quantiles {
	return Quantiles{d.Count(), seconds(d.Quantile(0.50)), seconds(d.Quantile(0.95)), seconds(d.Quantile(0.99)), seconds(d.Most())}
}

func seconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e6 }

// A Cause is one thing that went wrong, however often.
type Cause struct {
	Group  string `json:"group"`
	What   string `json:"what"` // connect, refused, connection, subscribe, post, answer, command, report
	Why    string `json:"why"`
	Count  int64  `json:"count"`
	Device string `json:"device"`           // one that it happened to
	Advice string `json:"advice,omitempty"` // what the cloud says of it
	Code   int    `json:"code,omitempty"`   // of a CONNACK
}

type causeKey struct{ group, what, why string }

// maxCauses bounds the causes that are told apart; the others are one.
const maxCauses = 200

// cause counts what went wrong with m, and also in a counter of its kind.
func (r *run) cause(what, why string, m *member, also ...*atomic.Int64) {
	r.caused(what, why, m, also...)
}

func (r *run) caused(what, why string, m *member, also ...*atomic.Int64) (c *Cause, isNew bool) {
	r.causeMu.Lock() // report reads both under it, so that they agree
	defer r.causeMu.Unlock()
	for _, n := range also {
		n.Add(1)
	}
	key := causeKey{m.g.Name, what, why}
	c = r.causes[key]
	if c == nil && len(r.causes) >= maxCauses {
		key.why = "something else"
		c = r.causes[key]
	}
	if c == nil {
		c, isNew = &Cause{Group: key.group, What: what, Why: key.why, Device: m.g.credentialOf(int(m.index)).Name}, true
		r.causes[key] = c
	}
	c.Count++
	return c, isNew
}

// refusal counts a login that was refused; of a new cause the cloud is asked.
func (r *run) refusal(no *client.Refused, m *member) {
	c, isNew := r.caused("refused", no.Error(), m, &r.count.refused)
	if !isNew {
		return
	}
	c.Code = int(no.ReturnCode)
	if r.o.Explain == nil {
		return
	}
	r.explains.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		advice := r.o.Explain(ctx, m.g.Product, c.Device)
		r.causeMu.Lock()
		defer r.causeMu.Unlock()
		c.Advice = advice
	})
}

// sortCauses puts the most frequent causes first.
func sortCauses(all []*Cause) {
	slices.SortFunc(all, func(a, b *Cause) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Group, b.Group), cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why))
	})
}

// advise copies what the cloud has said meanwhile of the causes in a report.
func (r *run) advise(told []*Cause) {
	r.causeMu.Lock()
	defer r.causeMu.Unlock()
	for _, c := range told {
		c.Advice = r.causes[causeKey{c.Group, c.What, c.Why}].Advice
	}
}

func (r *run) progress(now time.Duration) Progress {
	c := &r.count
	r.window.next(&r.delays)
	return Progress{
		Elapsed: now, Duration: r.s.Duration, Devices: len(r.members), Connected: c.up.Load(), Posts: c.made.Load(),
		Answered: c.answered.Load(), Refused: c.refused.Load(), Broken: c.broken.Load() + c.cut.Load(), P99: r.delays.Quantile(0.99),
		LastP50: r.window.last.Quantile(0.50), LastP99: r.window.last.Quantile(0.99),
	}
}

// report sums up and judges.
func (r *run) report(interrupted bool) *Result {
	c := &r.count
	r.causeMu.Lock()
	defer r.causeMu.Unlock()
	res := &Result{
		Scenario: r.s.Name, Seed: r.s.Seed, Interrupted: interrupted, Seconds: seconds(r.now()), Devices: len(r.members),
		Connected: c.up.Load(), Came: c.came.Load(), Returns: c.returns.Load(), Refused: c.refused.Load(), Failed: c.failed.Load(),
		Broken: c.broken.Load(), Cut: c.cut.Load(),
		Posts: c.made.Load(), Events: c.events.Load(), Sent: c.sent.Load(), Resent: c.resent.Load(), Acked: c.acked.Load(), Answered: c.answered.Load(),
		Rejected: c.rejected.Load(), Dropped: c.dropped.Load(), Lost: c.made.Load() - c.answered.Load(),
		CommandsTaken: c.commands.Load(), CommandsAnswered: c.obeyed.Load(), CommandsOrdered: c.ordered.Load(), CommandsDone: c.acknowledged.Load(),
		Answers: quantiles(&r.delays), Connects: quantiles(&r.connects), Return: quantiles(&r.returns), Commands: quantiles(&r.commands),
		Values: fmt.Sprintf("%016x", c.digest.Load()),
	}
	res.Causes = make([]*Cause, 0, len(r.causes))
	for _, cause := range r.causes {
		now := *cause // what goes wrong at the end is none of the run's
		res.Causes = append(res.Causes, &now)
	}
	sortCauses(res.Causes)
	res.Checks = r.s.Expect.checks(res)
	return res
}
