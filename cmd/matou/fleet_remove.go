package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/matou-iot/matou/device/fleet"
)

// removedAtOnce is how many devices the API deletes at a time.
const removedAtOnce = 1000

// A litter is what a fleet leaves on a Matou: devices, by product.
type litter []deviceRef

func (l *litter) add(product string, names []string) {
	for _, name := range names {
		*l = append(*l, deviceRef{Product: product, Device: name})
	}
}

// remove deletes the devices and all they said; those that are gone already are
// none. say is told how far it is. It goes on after a failure, of which the
// first is returned, but not after ctx.
func (l litter) remove(r *rest, say io.Writer) (removed int, err error) {
	seen := 0
	for some := range slices.Chunk(l, removedAtOnce) {
		var done struct{ Changed int }
		failed := r.call("POST", at("devices", "delete"), nil, map[string]any{"devices": some}, &done)
		if r.ctx.Err() != nil {
			return removed, cmp.Or(err, r.ctx.Err())
		}
		err = cmp.Or(err, failed)
		removed += done.Changed
		if seen += len(some); seen < len(l) {
			fmt.Fprintf(say, "%d of %d devices deleted\n", removed, len(l))
		}
	}
	return removed, err
}

// tidy deletes what a run has made, also after it was interrupted; a second
// interrupt ends that, too.
func (c *fleetRunCmd) tidy(g *globals, made litter) error {
	if !c.Remove || len(made) == 0 {
		return nil
	}
	r, err := c.matou().open(g)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.WithoutCancel(g.Ctx), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r.ctx = ctx
	n, err := made.remove(r, c.say(g))
	fmt.Fprintf(c.say(g), "%s that this run made deleted\n", count(n, "device", "devices"))
	return leftBehind(err)
}

// leftBehind adds the remedy to an error of remove.
func leftBehind(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; the rest is still there: matou fleet remove deletes it", err)
}

type fleetRemoveCmd struct {
	File string `arg:"" optional:"" help:"YAML file with the scenario; - is standard input." placeholder:"SCENARIO"`

	Example string `help:"A scenario that comes with Matou." placeholder:"NAME"`
	Product string `help:"Product of the devices instead, of a scenario with one group." placeholder:"KEY"`
	Count   int    `help:"Devices in all instead, as the run was told." placeholder:"N"`
	Quiet   bool   `help:"Say nothing while it goes on."`

	fleetMatouFlags
	yesFlag
}

func (*fleetRemoveCmd) Help() string {
	return `Deletes the devices that a scenario names, and all they said: those of former runs,
which fleet run leaves for the next one unless it is told --remove. Devices with
credentials or a secret in the scenario are not touched, nor are products.

Examples:
  matou fleet remove --example classroom --api http://127.0.0.1:7080
  matou fleet remove storm.yaml --api http://127.0.0.1:7080 --count 20000 --yes`
}

func (c *fleetRemoveCmd) Run(g *globals) error {
	run := &fleetRunCmd{File: c.File, Example: c.Example, Product: c.Product, Count: c.Count, Quiet: c.Quiet, fleetMatouFlags: c.fleetMatouFlags}
	s, _, err := run.read(g.Stdin)
	if err != nil {
		return err
	}
	if c.API == "" {
		return usagef("where are the devices? Name a Matou with --api")
	}
	r, err := c.matou().open(g)
	if err != nil {
		return err
	}
	there, err := left(r, s)
	if err != nil {
		return err
	}
	if len(there) > 0 {
		if err := c.confirm(g, fmt.Sprintf("Delete %s, such as %s, and all they said", count(len(there), "device", "devices"), there[0])); err != nil {
			return err
		}
	}
	n, err := there.remove(r, run.say(g))
	if err != nil {
		return leftBehind(err)
	}
	return g.emit(map[string]int{"removed": n}, func(w io.Writer) { fmt.Fprintf(w, "%s deleted\n", count(n, "device", "devices")) })
}

// left are the devices of a scenario that are on a Matou.
func left(r *rest, s *fleet.Scenario) (there litter, err error) {
	for _, group := range s.Groups {
		if group.HasCredentials() {
			continue
		}
		have, err := secretsOf(r, group.Product)
		if isNotFound(err) {
			continue // no product, no devices
		}
		if err != nil {
			return nil, err
		}
		var names []string
		for _, name := range group.Names() {
			if _, ok := have[name]; ok {
				names = append(names, name)
			}
		}
		there.add(group.Product, names)
	}
	return there, nil
}
