//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A bench is one run.
type bench struct {
	plan    plan
	only    *regexp.Regexp
	peers   []*peer
	scratch string // directory of everything that is thrown away
	talk    io.Writer
	filled  []string // peers whose sessions for restart are made
	report  *report
}

// options are the command line.
type options struct {
	quick  bool
	only   string
	rounds int
	peers  string
	out    string
	asJSON bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 2 && args[0] == serveBroker {
		return runBroker(args[1])
	}
	if len(args) == 2 && args[0] == holdDevices {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return hold(n, stdout)
	}
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.quick, "quick", false, "less of everything: under 3 minutes, only Matou and Mosquitto")
	flags.StringVar(&o.only, "only", "", "only the scenarios that match this regular expression")
	flags.IntVar(&o.rounds, "rounds", 0, "rounds of all peers in turn (default 5, quick 2)")
	flags.StringVar(&o.peers, "peers", "", "peers, with commas between (default matou,engine,mosquitto,mochi,nats)")
	flags.StringVar(&o.out, "out", "", "write report.md and report.svg into this directory")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON with every sample instead of a table")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	b, err := newBench(o, stderr)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.scratch)
	if err := b.prepare(ctx, o); err != nil {
		return err
	}
	b.report.Command = commandLine(args)
	if err := b.measure(ctx); err != nil {
		return err
	}
	return b.publish(o, stdout)
}

// commandLine is how to run this again, for a shell.
func commandLine(args []string) string {
	line := "go run ./bench"
	for _, a := range args {
		if strings.ContainsAny(a, " |&;()<>$*?[]'\"\\") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		line += " " + a
	}
	return line
}

// heldRoom is the memory of the machine, in KiB, that there has to be for each
// device held in memory: its own with the garbage of its arrival, and the pipe.
const heldRoom = 20

func newBench(o options, talk io.Writer) (*bench, error) {
	b := &bench{plan: fullPlan, talk: talk, report: &report{
		Started: time.Now().UTC().Truncate(time.Second), Quick: o.quick, Versions: map[string]string{}, Skipped: map[string]string{},
	}}
	if o.quick {
		b.plan = quickPlan
	}
	if o.rounds > 0 {
		b.plan.rounds = o.rounds
	}
	var err error
	if b.only, err = regexp.Compile(o.only); err != nil {
		return nil, fmt.Errorf("--only: %w", err)
	}
	files, err := raiseFiles()
	if err != nil {
		return nil, err
	}
	b.plan.idle = min(b.plan.idle, files-spareFiles)
	if all := thisMachine().MemoryMiB; all > 0 {
		b.plan.heldMost = min(b.plan.heldMost, int(all<<10/heldRoom))
	}
	if least := 2*500 + spareFiles; files < least {
		return nil, fmt.Errorf("only %d files may be open, %d are needed: ulimit -n", files, least)
	}
	if b.scratch, err = os.MkdirTemp("", "matou-bench-"); err != nil {
		return nil, err
	}
	return b, nil
}

// raiseFiles lets this process and those it starts open as many files as they may.
func raiseFiles() (int, error) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("limit of open files: %w", err)
	}
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("raise the limit of open files: %w", err)
	}
	return int(min(l.Max, 1<<20)), nil
}

// prepare builds the programs and finds out which peers there are.
func (b *bench) prepare(ctx context.Context, o options) error {
	names := "matou,engine,mosquitto,mochi,nats"
	switch {
	case o.peers != "":
		names = o.peers
	case o.quick:
		names = "matou,mosquitto"
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	programs := programs{
		matou: filepath.Join(root, "bin", "matou"), self: self,
		mochi: filepath.Join(b.scratch, "mochi"), nats: filepath.Join(b.scratch, "nats"),
	}
	known := map[string]*peer{}
	for _, p := range peers(programs) {
		known[p.name] = p
	}
	for _, name := range strings.Split(names, ",") {
		p := known[strings.TrimSpace(name)]
		if p == nil {
			return fmt.Errorf("--peers: %q is none of matou, engine, mosquitto, mochi, nats", name)
		}
		version, err := ready(ctx, p, root, programs)
		if errors.Is(err, exec.ErrNotFound) {
			b.skip(p, "its program is not installed: apt-get install "+p.name)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		b.peers = append(b.peers, p)
		b.report.Peers, b.report.Versions[p.name] = append(b.report.Peers, p.name), version
	}
	b.report.Rounds = b.plan.rounds
	b.report.Machine = thisMachine()
	b.report.Settings = b.plan.settings()
	return nil
}

// skip says loudly that a peer is left out.
func (b *bench) skip(p *peer, why string) {
	fmt.Fprintf(b.talk, "\n*** SKIPPED: %s\n*** %s\n\n", p.name, why)
	b.report.Skipped[p.name] = why
}

func (p plan) settings() map[string]string {
	return map[string]string{
		"warm-up":      p.warm.String(),
		"measured":     p.measure.String() + ", at a steady rate " + p.steady.String(),
		"connections":  fmt.Sprint(p.connects),
		"idle devices": fmt.Sprint(p.idle),
		"sessions":     fmt.Sprint(p.sessions),
		"in memory":    fmt.Sprintf("%d and %d devices", p.held, p.heldMost),
	}
}

// moduleRoot is where this program's module is.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if filepath.Base(file) != "go.mod" {
		return "", errors.New("run this inside the repository: its programs are built there")
	}
	return filepath.Dir(file), nil
}

// ready builds what a peer needs and returns its version.
func ready(ctx context.Context, p *peer, root string, b programs) (string, error) {
	build := func(dir string, command ...string) error {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Dir = dir
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, said)
		}
		return nil
	}
	var program string
	var args []string
	var err error
	switch p.name {
	case "matou":
		program, args, err = b.matou, []string{"version"}, build(root, "make", "build")
	case "mochi", "nats":
		program = map[string]string{"mochi": b.mochi, "nats": b.nats}[p.name]
		args, err = []string{"--version"}, build(filepath.Join(root, "bench", "peers"), "go", "build", "-trimpath", "-o", program, "./"+p.name)
	case "mosquitto":
		program, args = "mosquitto", []string{"-h"}
		if _, err := exec.LookPath(program); err != nil {
			return "", err
		}
	default:
		return p.version, nil
	}
	if err != nil {
		return "", err
	}
	said, _ := exec.CommandContext(ctx, program, args...).CombinedOutput() // mosquitto -h exits with 3
	first, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	return first, nil
}

func thisMachine() machine {
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo") // what cannot be read is unknown
	meminfo, _ := os.ReadFile("/proc/meminfo")
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return machine{
		CPU: cpuModel(string(cpuinfo)), Cores: runtime.NumCPU(), MemoryMiB: totalMemory(string(meminfo)) >> 10,
		Kernel: "Linux " + strings.TrimSpace(string(kernel)), Go: runtime.Version(),
	}
}

// measure runs all scenarios, one round of each after the other, so that the
// rounds of one are spread over the whole time: a machine has slow minutes. Those
// of memory, which time does not change, come last.
func (b *bench) measure(ctx context.Context) error {
	chosen := slices.DeleteFunc(slices.Clone(scenarios), func(sc scenario) bool { return !b.only.MatchString(sc.name) })
	if len(chosen) == 0 {
		return fmt.Errorf("--only %s: no scenario has such a name", b.only)
	}
	for round := range b.plan.rounds {
		for _, sc := range chosen {
			for i := range sc.times() {
				if err := b.turn(ctx, sc, sc.times()*round+i); err != nil {
					return err
				}
			}
		}
	}
	for _, sc := range chosen {
		for round := range min(b.plan.rounds, sc.most) {
			if err := b.turn(ctx, sc, round); err != nil {
				return err
			}
		}
	}
	b.report.Took = time.Since(b.report.Started).Truncate(time.Second)
	b.report.digest()
	return nil
}

// turn is one round of a scenario: all peers in turn.
func (b *bench) turn(ctx context.Context, sc scenario, round int) error {
	for i := range b.peers {
		p := b.peers[(i+round)%len(b.peers)] // nobody is always first
		if sc.peers != nil && !slices.Contains(sc.peers, p.name) {
			continue
		}
		b.take(ctx, sc, p, round)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// take takes one sample.
func (b *bench) take(ctx context.Context, sc scenario, p *peer, round int) {
	s := sample{Scenario: sc.name, Peer: p.name, Round: round + 1, Values: map[string]float64{}}
	if err := sc.run(ctx, b, p, &s); err != nil {
		s.Error = err.Error()
		b.report.Faults = append(b.report.Faults, fmt.Sprintf("%s, %s, round %d: %v", sc.name, p.name, s.Round, err))
	}
	b.report.Samples = append(b.report.Samples, s)
	fmt.Fprintln(b.talk, s.talk())
}

// publish prints the report and writes its files, and fails if Matou did.
func (b *bench) publish(o options, stdout io.Writer) error {
	r := b.report
	if o.out != "" {
		if err := r.writeFiles(o.out); err != nil {
			return err
		}
	}
	if o.asJSON {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return err
		}
	} else {
		r.writeTable(stdout)
	}
	for _, s := range r.Samples {
		if s.Error != "" && s.Peer == subject {
			return fmt.Errorf("%s failed in %s: %s", s.Peer, s.Scenario, s.Error)
		}
	}
	return nil
}
