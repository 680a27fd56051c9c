// Command conformance runs Eclipse's paho.mqtt.testing client suites against
// Matou's MQTT engine: every function of client_test.py and client_test5.py,
// also those that unittest's discovery passes over, each in a process of its
// own with a time limit.
//
//	go run ./test/conformance --suite paho.mqtt.testing/interoperability
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// patience is how long one function may take; the slowest sleeps for a minute.
const patience = 3 * time.Minute

// modules are the suites, and how many functions each is known to have: fewer
// would mean that something is passed over.
var modules = []struct {
	name  string
	least int
}{{"client_test", 10}, {"client_test5", 27}}

// A result is what became of one function.
type result struct {
	Suite   string  `json:"suite"`
	Test    string  `json:"test"`
	OK      bool    `json:"ok"`
	Seconds float64 `json:"seconds"`
	Output  string  `json:"output,omitempty"` // of one that failed
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	suite := flags.String("suite", "", "the suite's directory interoperability")
	only := flags.String("only", "", "only functions that match this regular expression")
	server := flags.String("server", "", "host:port of another server to test; left out, the engine with the profile the suite wants")
	asJSON := flags.Bool("json", false, "print JSON")
	verbose := flags.Bool("v", false, "log what the engine says")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	driver, err := driverPath()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if *server == "" {
		ended := make(chan error, 1)
		addr, err := serve(ctx, *verbose, ended)
		if err != nil {
			return err
		}
		*server = addr
		defer func() { cancel(); <-ended }()
	}
	var results []result
	failed := 0
	for _, m := range modules {
		names, err := list(ctx, driver, *suite, m.name)
		if err != nil {
			return err
		}
		if len(names) < m.least {
			return fmt.Errorf("%s has %d functions, %d are known: is %s the whole suite?", m.name, len(names), m.least, *suite)
		}
		passed, ran := 0, 0
		for _, name := range names {
			if !wanted.MatchString(m.name + "." + name) {
				continue
			}
			r := one(ctx, driver, *suite, m.name, name, *server)
			results = append(results, r)
			if ran++; r.OK {
				passed++
			} else {
				failed++
			}
			if !*asJSON {
				r.tell(out)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if !*asJSON {
			fmt.Fprintf(out, "%s: %d of %d\n\n", m.name, passed, ran)
		}
	}
	if *asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(results); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d functions failed", failed)
	}
	return nil
}

func (r *result) tell(out io.Writer) {
	verdict := "ok  "
	if !r.OK {
		verdict = "FAIL"
	}
	fmt.Fprintf(out, "%s %-13s %-32s %5.1f s\n", verdict, r.Suite, r.Test, r.Seconds)
	if !r.OK {
		fmt.Fprintln(out, "     "+strings.ReplaceAll(strings.TrimSpace(r.Output), "\n", "\n     "))
	}
}

// driverPath finds driver.py from the repository's root or from here.
func driverPath() (string, error) {
	for _, dir := range []string{".", "test/conformance"} {
		path := filepath.Join(dir, "driver.py")
		if _, err := os.Stat(path); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", errors.New("driver.py is not here: run it from the repository's root")
}

func list(ctx context.Context, driver, suite, module string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "python3", driver, suite, module, "list").Output()
	if err != nil {
		return nil, fmt.Errorf("list %s in %q: %w; name the suite's directory with --suite", module, suite, err)
	}
	var names []string
	for line := range strings.Lines(string(out)) {
		if name := strings.TrimSpace(line); regexp.MustCompile(`^\w+$`).MatchString(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// one runs one function.
func one(ctx context.Context, driver, suite, module, name, server string) result {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	host, port, _ := net.SplitHostPort(server)
	cmd := exec.CommandContext(ctx, "python3", driver, suite, module, host, port, name)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	start := time.Now()
	err := cmd.Run()
	r := result{Suite: module, Test: name, OK: err == nil, Seconds: time.Since(start).Seconds()}
	if err != nil {
		r.Output = output.String() + err.Error()
	}
	return r
}

// A profile is what the suite expects of a server that is set up for it.
type profile struct{ broker.OpenRules }

// suiteKeepAlive is what the suite wants to be told when it asks for more.
const suiteKeepAlive = 60

// Connect shortens the keep-alive.
func (profile) Connect(_ context.Context, c *packet.Connect, _ broker.Origin) (*broker.Grant, error) {
	g := &broker.Grant{MaxQoS: mqtt.ExactlyOnce}
	if c.KeepAlive > suiteKeepAlive {
		g.KeepAlive = suiteKeepAlive
	}
	return g, nil
}

// Subscribe refuses the one topic that nobody may subscribe to.
func (profile) Subscribe(_ *broker.Client, s packet.Subscription) mqtt.ReasonCode {
	if s.Filter == "test/nosubscribe" {
		return mqtt.UnspecifiedError // the only failure that the suite's client knows
	}
	return mqtt.ReasonCode(s.QoS)
}

// turn is how long a PUBLISH waits for its turn.
const turn = 5 * time.Millisecond

// Publish lets what came earlier on other connections be handled first: the
// suite sends one client's SUBSCRIBE and, without waiting for the SUBACK,
// another client's PUBLISH, and counts on a server with one thread. MQTT
// promises no such order.
func (profile) Publish(*broker.Client, *packet.Publish) broker.Decision {
	time.Sleep(turn)
	return broker.Decision{}
}

// serve starts the engine on a free port of loopback.
func serve(ctx context.Context, verbose bool, ended chan<- error) (string, error) {
	log := slog.New(slog.DiscardHandler)
	if verbose {
		log = slog.Default()
	}
	b, err := broker.New(broker.Options{Rules: profile{}, Log: log})
	if err != nil {
		return "", err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	served := make(chan error, 1)
	go func() { served <- b.Serve(ctx, ln) }()
	go func() { ended <- errors.Join(b.Run(ctx), <-served) }()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)), nil
}
