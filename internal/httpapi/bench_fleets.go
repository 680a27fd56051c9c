package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/matou-iot/matou/device/fleet"
	"github.com/matou-iot/matou/internal/bench"
	"github.com/matou-iot/matou/internal/fault"
)

// A fleetScenario is a scenario that comes with Matou.
type fleetScenario struct {
	Name     string `json:"name"`
	Text     string `json:"text" doc:"YAML"`
	Devices  int    `json:"devices"`
	Duration int    `json:"seconds"`
}

// fleetScenarios are the scenarios that come with Matou, and the bounds of all.
type fleetScenarios struct {
	Items      []fleetScenario `json:"items" nullable:"false"`
	MaxDevices int             `json:"maxDevices" doc:"Of all fleets together; 0: this server has no fleets"`
	MaxSeconds int             `json:"maxSeconds" doc:"That a fleet may take"`
}

func (a *api) listFleetScenarios(context.Context, *none) (fleetScenarios, error) {
	devices, longest := a.Bench.FleetBounds()
	all := fleetScenarios{MaxDevices: devices, MaxSeconds: int(longest.Seconds())}
	for _, name := range fleet.Examples.Names() {
		text, open, _ := fleet.Examples.Example(name)
		s, err := fleet.Read(name, text, open, nil)
		if err != nil {
			return fleetScenarios{}, err
		}
		all.Items = append(all.Items, fleetScenario{name, string(text), s.Devices(), int(s.Duration.Seconds())})
	}
	return all, nil
}

// FleetOrder says what a fleet shall do.
type FleetOrder struct {
	Scenario string `json:"scenario" maxLength:"262144" doc:"YAML, as matou fleet run takes it. Its server is this one. Groups of products that are here may leave out dialect and model"`
	Devices  int    `json:"devices,omitempty" minimum:"0" doc:"In all instead; groups keep their shares"`
	Seconds  int    `json:"seconds,omitempty" minimum:"0" doc:"How long devices report instead; ramp and storms keep their shares of it"`
	Forget   bool   `json:"forget,omitempty" doc:"Devices that are made for it are deleted when it has ended"`
}

func (o FleetOrder) order(by string) bench.FleetOrder {
	return bench.FleetOrder{Scenario: o.Scenario, Devices: o.Devices, Duration: time.Duration(o.Seconds) * time.Second, Forget: o.Forget, By: by}
}

type fleetInput struct{ Body FleetOrder }

// CheckedFleet is a scenario that can be run.
type CheckedFleet struct {
	Name    string       `json:"name"`
	Devices int          `json:"devices"`
	Seconds int          `json:"seconds"`
	Groups  []fleetGroup `json:"groups" nullable:"false"`
}

type fleetGroup struct {
	Name    string  `json:"name"`
	Product string  `json:"product"`
	Dialect string  `json:"dialect"`
	Devices int     `json:"devices"`
	Every   float64 `json:"everySeconds" doc:"How often each device reports"`
}

func (a *api) checkFleet(ctx context.Context, in *fleetInput) (CheckedFleet, error) {
	s, err := a.Bench.ReadFleet(ctx, in.Body.order(""))
	if err != nil {
		return CheckedFleet{}, err
	}
	return viewScenario(s), nil
}

func viewScenario(s *fleet.Scenario) CheckedFleet {
	v := CheckedFleet{Name: s.Name, Devices: s.Devices(), Seconds: int(s.Duration.Seconds()), Groups: []fleetGroup{}}
	for _, g := range s.Groups {
		v.Groups = append(v.Groups, fleetGroup{g.Name, g.Product, g.Dialect, g.Count, g.Report.Every.Seconds()})
	}
	return v
}

// A benchFleet is a fleet at work, or one that has ended.
type benchFleet struct {
	ID string `json:"id"`
	CheckedFleet
	By      string              `json:"by" doc:"Who started it"`
	Started time.Time           `json:"started"`
	State   string              `json:"state" enum:"running,passed,failed" doc:"failed: not all that was expected is so, or it was stopped"`
	Last    *bench.FleetSample  `json:"last,omitempty" doc:"How far it is"`
	Samples []bench.FleetSample `json:"samples,omitempty" doc:"With one fleet only"`
	Result  *fleetOutcome       `json:"result,omitempty" doc:"With one fleet only, when it has ended"`
	Problem string              `json:"problem,omitempty" doc:"Why it could not begin"`
}

// A fleetOutcome is what came of a fleet.
type fleetOutcome struct{ fleet.Result }

func viewFleet(l language, f *bench.Fleet, whole bool) benchFleet {
	v := benchFleet{ID: f.ID, CheckedFleet: viewScenario(f.Scenario), By: f.By, Started: f.Started.UTC(), State: "running"}
	samples, _ := f.Samples(-1)
	if len(samples) > 0 {
		v.Last = &samples[len(samples)-1]
	}
	if f.Ended() {
		result, err := f.Result()
		v.State = "failed"
		if err != nil {
			v.Problem = l.all(err)
		} else if result.OK() {
			v.State = "passed"
		}
		if whole && result != nil {
			v.Result = &fleetOutcome{*result}
		}
	}
	if whole {
		v.Samples = samples
	}
	return v
}

func (a *api) listFleets(ctx context.Context, _ *none) (list[benchFleet], error) {
	items := []benchFleet{}
	for _, f := range a.Bench.Fleets() {
		items = append(items, viewFleet(languageIn(ctx), f, false))
	}
	return page(items, ""), nil
}

func (a *api) startFleet(ctx context.Context, in *fleetInput) (benchFleet, error) {
	f, err := a.Bench.StartFleet(ctx, in.Body.order(who(ctx).Name))
	if err != nil {
		return benchFleet{}, err
	}
	return viewFleet(languageIn(ctx), f, false), nil
}

// BenchFleetPath names a fleet.
type BenchFleetPath struct {
	Fleet string `path:"fleet" doc:"The id"`
}

func (a *api) showFleet(ctx context.Context, in *BenchFleetPath) (benchFleet, error) {
	f, err := a.Bench.Fleet(in.Fleet)
	if err != nil {
		return benchFleet{}, err
	}
	return viewFleet(languageIn(ctx), f, true), nil
}

func (a *api) stopFleet(ctx context.Context, in *BenchFleetPath) (benchFleet, error) {
	f, err := a.Bench.Fleet(in.Fleet)
	if err != nil {
		return benchFleet{}, err
	}
	f.Stop()
	return viewFleet(languageIn(ctx), f, true), nil
}

func (a *api) removeFleet(_ context.Context, in *BenchFleetPath) error {
	return a.Bench.RemoveFleet(in.Fleet)
}

func (a *api) hasFleet(_ context.Context, in *BenchFleetPath) error {
	_, err := a.Bench.Fleet(in.Fleet)
	return err
}

// followFleet sends the samples so far, those to come, and at the end the fleet
// with its result.
func (a *api) followFleet(ctx context.Context, in *BenchFleetPath, send sender) error {
	f, err := a.Bench.Fleet(in.Fleet)
	if err != nil {
		return err
	}
	for after := -1.0; ; {
		ended := f.Ended() // before the samples: what comes behind the end is none
		samples, more := f.Samples(after)
		if len(samples) > 0 {
			after = samples[len(samples)-1].At
			if err := send("samples", 0, samples); err != nil {
				return err
			}
		}
		if ended {
			if err := send("ended", 0, viewFleet(languageIn(ctx), f, true)); err != nil {
				return err
			}
			<-ctx.Done() // else the browser would come back at once
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil
		}
	}
}

type fleetResultInput struct {
	BenchFleetPath
	Format string `query:"format" enum:"json,junit" default:"json" doc:"junit: the report that CI systems read"`
}

func (a *api) fleetResult(_ context.Context, in *fleetResultInput) (*csvOutput, error) {
	f, err := a.Bench.Fleet(in.Fleet)
	if err != nil {
		return nil, err
	}
	if !f.Ended() {
		return nil, fault.Conflict("fleet %s is at work: it has no result yet", f.ID)
	}
	result, err := f.Result()
	if err != nil {
		return nil, fault.Conflict("fleet %s could not begin: %v", f.ID, err)
	}
	var b bytes.Buffer
	kind, ending := "application/json", "json"
	if in.Format == "junit" {
		kind, ending = "application/xml", "xml"
		err = result.WriteJUnit(&b)
	} else {
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		err = e.Encode(result)
	}
	return &csvOutput{kind, fmt.Sprintf(`attachment; filename="fleet-%s.%s"`, f.ID, ending), b.Bytes()}, err
}
