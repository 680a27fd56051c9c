package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/device/fleet"
)

type fleetCmd struct {
	Run    fleetRunCmd    `cmd:"" help:"Set thousands of virtual devices to work, as a scenario says."`
	Remove fleetRemoveCmd `cmd:"" help:"Delete the devices that a scenario names."`
}

// fleetMatouFlags name the Matou that a fleet's devices are on.
type fleetMatouFlags struct {
	API   string `name:"api" group:"Matou" help:"Address of a Matou's API: the devices are made there, it is asked for commands, and why it refuses." placeholder:"URL"`
	Token string `group:"Matou" help:"Access token; left out, the one in the data directory." env:"MATOU_TOKEN" placeholder:"TOKEN"`
	Data  string `group:"Matou" help:"Data directory of a Matou on this machine; left out, matou-data." env:"MATOU_DATA" placeholder:"DIR"`
}

func (f *fleetMatouFlags) matou() *apiFlags {
	return &apiFlags{Server: f.API, Token: f.Token, Data: f.Data}
}

type fleetRunCmd struct {
	File string `arg:"" optional:"" help:"YAML file with the scenario; - is standard input." placeholder:"SCENARIO"`

	Example  string `help:"Run a scenario that comes with Matou: classroom, flaky-network, gateways, mixed-vendors, reconnect-storm or soak." placeholder:"NAME"`
	Print    bool   `help:"Print the scenario instead of running it."`
	Check    bool   `help:"Check the scenario and stop."`
	URL      string `name:"url" help:"Connect here instead: mqtt://, mqtts://, ws:// or wss://." placeholder:"URL"`
	CAFile   string `name:"cafile" help:"PEM file of the authorities to trust, instead." placeholder:"FILE"`
	Insecure bool   `help:"Accept any certificate."`
	Product  string `help:"Product of the devices instead, of a scenario with one group." placeholder:"KEY"`
	Count    int    `help:"Devices in all instead; groups keep their shares." placeholder:"N"`
	Duration span   `help:"How long devices report, instead; ramp and storms keep their shares of it." placeholder:"TIME"`
	Seed     uint64 `help:"Seed instead." placeholder:"N"`
	CSV      string `name:"csv" help:"CSV file with name and secret of the devices, of a scenario with one group." placeholder:"FILE"`
	JUnit    string `name:"junit" help:"Write the checks here, as CI systems read them." placeholder:"FILE"`
	Quiet    bool   `help:"Say nothing while it runs."`
	Remove   bool   `help:"Delete the devices that this run made with --api at its end, however it ends, and do not ask."`

	fleetMatouFlags
}

func (*fleetRunCmd) Help() string {
	return `Devices sign in, report values that fit their thing models, answer commands, lose
their connections and come back, and nothing that they report may get lost. The
same scenario and seed make the same devices report the same values at the same
times. Exit code 0: all that the scenario expects is so; 1: something is not.

Devices that do not exist are made with --api, or sign in with --csv. They stay for
the next run, unless --remove says otherwise; matou fleet remove deletes them later.

Examples:
  matou fleet run --example classroom --api http://127.0.0.1:7080
  matou fleet run --example reconnect-storm --print > storm.yaml
  matou fleet run storm.yaml --api http://127.0.0.1:7080 --count 20000 --junit storm.xml
  matou fleet run --example soak --api http://127.0.0.1:7080 --count 500 --remove
  matou device export a1NightLamp > lamps.csv
  matou fleet run lamps.yaml --csv lamps.csv --url mqtts://iot.example.com --json`
}

func (c *fleetRunCmd) Run(g *globals) error {
	s, text, err := c.read(g.Stdin)
	if err != nil {
		return err
	}
	switch {
	case c.Print:
		_, err := g.Stdout.Write(text)
		return err
	case c.Check:
		fmt.Fprintf(g.Stdout, "the scenario is good: %s\n", count(s.Devices(), "device", "devices"))
		return nil
	}
	junit, err := c.junit()
	if err != nil {
		return err
	}
	defer junit.Close()
	screen := &fleetScreen{w: g.Stderr, terminal: isTerminal(g.Stderr), quiet: c.Quiet}
	result, err := c.goOn(g, s, screen)
	if result == nil {
		return err
	}
	untidy := err
	if c.JUnit != "" {
		if err := result.WriteJUnit(junit); err != nil {
			return fmt.Errorf("--junit: %w", err)
		}
		if err := junit.Close(); err != nil {
			return fmt.Errorf("--junit: %w", err)
		}
	}
	if err := g.emit(result, func(w io.Writer) { printFleet(w, result) }); err != nil {
		return err
	}
	if untidy != nil {
		return untidy
	}
	if !result.OK() {
		return exitCode(exitFailed)
	}
	return nil
}

// goOn runs the scenario, and deletes in the end what it made, if it shall. An
// error beside a result is that of deleting.
func (c *fleetRunCmd) goOn(g *globals, s *fleet.Scenario, screen *fleetScreen) (result *fleet.Result, err error) {
	o := fleet.Options{Progress: screen.show}
	var made litter
	defer func() { err = errors.Join(err, c.tidy(g, made)) }()
	if c.API != "" {
		if err := c.useMatou(g, s, &o, &made); err != nil {
			return nil, err
		}
	}
	result, err = s.Run(g.Ctx, o)
	screen.end()
	if err != nil {
		return nil, usageError{err}
	}
	return result, nil
}

// say is where to tell how far something is.
func (c *fleetRunCmd) say(g *globals) io.Writer {
	if c.Quiet {
		return io.Discard
	}
	return g.Stderr
}

// read finds the scenario and reads it.
func (c *fleetRunCmd) read(stdin io.Reader) (s *fleet.Scenario, text []byte, err error) {
	if c.Count < 0 {
		return nil, nil, usage("--count %d is below 0", c.Count)
	}
	if c.Remove && c.API == "" {
		return nil, nil, usage("--remove is about devices that are made with --api: name it, or leave --remove out")
	}
	from, err := readDescribed("matou fleet run storm.yaml", c.File, c.Example, fleet.Examples, stdin, c.CSV, c.CAFile)
	if err != nil {
		return nil, nil, err
	}
	var wrong error
	s, err = fleet.Read(from.name, from.text, from.open, func(s *fleet.Scenario) { wrong = c.change(s) })
	if wrong != nil {
		return nil, nil, wrong
	}
	if err != nil {
		return nil, nil, from.mistaken(err, "device", "single device", "matou device run")
	}
	return s, from.text, nil
}

// change lets flags win.
func (c *fleetRunCmd) change(s *fleet.Scenario) error {
	if c.URL != "" {
		s.Server.URL = c.URL
	}
	if c.CAFile != "" {
		s.Server.CAFile = c.CAFile
	}
	s.Server.Insecure = s.Server.Insecure || c.Insecure
	if c.Seed != 0 {
		s.Seed = c.Seed
	}
	if d := time.Duration(c.Duration); d > 0 {
		s.Stretch(d)
	}
	if (c.Product != "" || c.CSV != "") && len(s.Groups) != 1 {
		return usage("--product and --csv are for a scenario with one group: this one has %d", len(s.Groups))
	}
	if c.Product != "" {
		s.Groups[0].Product = c.Product
	}
	if c.CSV != "" {
		s.Groups[0].Credentials, s.Groups[0].Secret = c.CSV, ""
		s.Groups[0].Count = 0
	}
	if c.Count > 0 {
		s.Scale(c.Count)
	}
	return nil
}

// useMatou makes the devices on a Matou, and lets it command and explain. made
// gets those that were not there.
func (c *fleetRunCmd) useMatou(g *globals, s *fleet.Scenario, o *fleet.Options, made *litter) error {
	f := c.matou()
	r, err := f.open(g)
	if err != nil {
		return err
	}
	for _, group := range s.Groups {
		if group.HasCredentials() {
			continue
		}
		say := c.say(g)
		if err := makeFleet(r, group, say, made); err != nil {
			return fmt.Errorf("group %s: %w", group.Name, err)
		}
		fmt.Fprintf(say, "%s of %s are there\n", count(group.Count, "device", "devices"), group.Product)
	}
	o.Explain = func(_ context.Context, product, device string) string {
		return explainRefusal(g, f, product, device, g.chinese())
	}
	o.Command = func(ctx context.Context, c fleet.Command) error {
		where := at("products", c.Product, "devices", c.Device, "properties")
		ask := map[string]any{"wait": commandPatience.String(), "values": map[string]any{c.Property: c.Value}}
		if c.Service != "" {
			where = at("products", c.Product, "devices", c.Device, "services", c.Service)
			ask = map[string]any{"wait": commandPatience.String(), "input": c.Input}
		}
		var sent order
		err := r.patiently(commandPatience, "POST", where, nil, ask, &sent)
		if err == nil && sent.State != acknowledged {
			err = fmt.Errorf("the command is %s %s", sent.State, sent.answer())
		}
		return err
	}
	return nil
}

// commandPatience is how long an outcome is waited for.
const commandPatience = 20 * time.Second

// batchDevices is how many devices one request makes.
const batchDevices = 5000

// makeFleet makes what is missing of a group on a Matou, and learns the
// secrets of all its devices. say is told how far it is, made gets the devices.
func makeFleet(r *rest, g *fleet.Group, say io.Writer, made *litter) error {
	lacks, err := ensureProduct(r, g.Product, g.Dialect, g.IsGateway(), g.ModelText())
	if err != nil {
		return err
	}
	warnOfModel(say, g.Product, lacks)
	there, err := secretsOf(r, g.Product)
	if err != nil {
		return err
	}
	var missing []newDevice
	var names []string
	for _, name := range g.Names() {
		if there[name] == "" {
			missing, names = append(missing, newDevice{Name: name}), append(names, name)
		}
	}
	if len(missing) == 0 {
		return g.SetCredentials(there)
	}
	for first := 0; first < len(missing); first += batchDevices {
		some := missing[first:min(first+batchDevices, len(missing))]
		if err := r.call("POST", at("products", g.Product, "devices", "batch"), nil, map[string]any{"devices": some}, nil); err != nil {
			return err
		}
		made.add(g.Product, names[first:first+len(some)])
		if done := first + len(some); done < len(missing) {
			fmt.Fprintf(say, "%d of %d devices of %s made\n", done, len(missing), g.Product)
		}
	}
	if there, err = secretsOf(r, g.Product); err != nil {
		return err
	}
	return g.SetCredentials(there)
}

// secretsOf are the secrets of a product's devices, by name.
func secretsOf(r *rest, product string) (map[string]string, error) {
	csv, err := r.raw(question{method: "GET", path: at("products", product, "devices.csv"), accept: "text/csv, application/problem+json"}, 0)
	if err != nil {
		return nil, err
	}
	all, err := fleet.ReadCredentials(csv)
	out := make(map[string]string, len(all))
	for _, c := range all {
		out[c.Name] = c.Secret
	}
	if len(all) == 0 {
		err = nil // a product without devices
	}
	return out, err
}

// junit opens the file for the checks before anything runs: a day's run is not
// lost over a wrong name. nil: none is wanted.
func (c *fleetRunCmd) junit() (*os.File, error) {
	if c.JUnit == "" {
		return nil, nil
	}
	f, err := os.Create(c.JUnit)
	if err != nil {
		return nil, usage("--junit: %w", err)
	}
	return f, nil
}

// enoughToMeasure is from how many devices on the memory of one says more of it
// than of the program around it.
const enoughToMeasure = 100

// printFleet is a result for people.
func printFleet(w io.Writer, r *fleet.Result) {
	fmt.Fprintf(w, "%s: %s for %s, seed %d\n\n", r.Scenario, count(r.Devices, "device", "devices"), time.Duration(r.Seconds*1e9).Round(time.Second), r.Seed)
	n := func(x int64) string { return strconv.FormatInt(x, 10) }
	fields(w,
		"posts", n(r.Posts), "events among them", orNothing(r.Events > 0, n(r.Events)), "answered", n(r.Answered), "rejected", n(r.Rejected), "lost", n(r.Lost), "sent again", n(r.Resent),
		"connected at the end", n(r.Connected), "reconnects", n(r.Returns), "refused", n(r.Refused), "cut by the scenario", n(r.Cut), "broken otherwise", n(r.Broken),
		"commands taken", n(r.CommandsTaken), "commands answered", n(r.CommandsAnswered),
		"commands done", orNothing(r.CommandsOrdered > 0, fmt.Sprintf("%d of %d", r.CommandsDone, r.CommandsOrdered)),
		"values", r.Values, "memory of a device", orNothing(r.Devices >= enoughToMeasure, fmt.Sprintf("%.1f KiB", float64(r.BytesADevice)/1024)),
		"fleet late by", orNothing(r.Late > 0.1, fmt.Sprintf("%.1f s at worst: this machine is too slow for it", r.Late)))
	t := table{{"TIME", "COUNT", "P50", "P95", "P99", "MAX"}}
	for _, q := range []struct {
		name string
		fleet.Quantiles
	}{{"answer to a post", r.Answers}, {"connect", r.Connects}, {"come back", r.Return}, {"command", r.Commands}} {
		if q.Count > 0 {
			t.add(q.name, n(q.Count), shortTime(q.P50), shortTime(q.P95), shortTime(q.P99), shortTime(q.Most))
		}
	}
	if len(t) > 1 {
		fmt.Fprintln(w)
		t.print(w)
	}
	if len(r.Causes) > 0 {
		fmt.Fprintln(w)
		t := table{{"TIMES", "GROUP", "WHAT", "WHY", "FOR INSTANCE"}}
		for _, c := range r.Causes {
			t.add(n(c.Count), c.Group, c.What, strings.Join(nonEmpty(c.Why, c.Advice), ": "), c.Device)
		}
		t.print(w)
	}
	if len(r.Checks) > 0 {
		fmt.Fprintln(w)
		t := table{{"EXPECTED", "", "WAS"}}
		for _, c := range r.Checks {
			mark := "✗"
			if c.OK {
				mark = "✓"
			}
			t.add(mark+" "+c.Name, c.Want, c.Got)
		}
		t.print(w)
	}
	if r.Interrupted {
		fmt.Fprintln(w, "\nthe run was interrupted")
	}
}

func orNothing(is bool, s string) string {
	if is {
		return s
	}
	return ""
}

func nonEmpty(all ...string) (out []string) {
	for _, s := range all {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// shortTime is a time for people, in three digits or so.
func shortTime(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d >= 10*time.Second:
		d = d.Round(100 * time.Millisecond)
	case d >= time.Second:
		d = d.Round(10 * time.Millisecond)
	case d >= 10*time.Millisecond:
		d = d.Round(100 * time.Microsecond)
	default:
		d = d.Round(time.Microsecond)
	}
	return d.String()
}
