package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/alecthomas/kong"

	"github.com/matou-iot/matou/internal/wording"
)

// The exit codes of every subcommand.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// cli is the whole command line: one field a subcommand, each in its file.
type cli struct {
	globals

	Serve  serveCmd  `cmd:"" help:"Run the server: devices, API."`
	Status statusCmd `cmd:"" help:"Show how the server is."`

	Product  productCmd  `cmd:"" help:"Make and change products."`
	Model    modelCmd    `cmd:"" help:"Import and export thing models."`
	Device   deviceCmd   `cmd:"" help:"Make, watch and command devices."`
	Batch    batchCmd    `cmd:"" help:"Make batches of devices for a factory."`
	Fleet    fleetCmd    `cmd:"" help:"Run virtual devices by the thousand."`
	OTA      otaCmd      `cmd:"" name:"ota" help:"Put new firmware on devices."`
	Operator operatorCmd `cmd:"" help:"Let people sign in, or no longer."`
	Password passwordCmd `cmd:"" help:"Change a password."`
	Token    tokenCmd    `cmd:"" help:"Make access tokens for programs."`
	Audit    auditCmd    `cmd:"" help:"List who changed what, and who was refused."`

	Pub     pubCmd     `cmd:"" help:"Publish messages over MQTT."`
	Sub     subCmd     `cmd:"" help:"Print messages that come over MQTT."`
	Modem   modemCmd   `cmd:"" help:"Be a module with AT commands, or look at one."`
	Sign    signCmd    `cmd:"" help:"Compute the MQTT login of a device."`
	Doctor  doctorCmd  `cmd:"" help:"Find the mistake in a login that was refused."`
	Refusal refusalCmd `cmd:"" help:"Explain the codes by which Matou says why."`
	Packet  packetCmd  `cmd:"" help:"Explain and build MQTT packets."`
	Version versionCmd `cmd:"" help:"Print the version."`

	ScriptWorker scriptWorkerCmd `cmd:"" hidden:""`
}

// globals is what every subcommand gets.
type globals struct {
	JSON bool `name:"json" help:"Print JSON for machines instead of text for people."`
	langFlag

	Ctx    context.Context `kong:"-"` // done when the user interrupts
	Stdin  io.Reader       `kong:"-"`
	Stdout io.Writer       `kong:"-"` // results
	Stderr io.Writer       `kong:"-"` // talk
}

// emit prints a result: v as JSON with --json, otherwise what people writes.
func (g *globals) emit(v any, people func(w io.Writer)) error {
	if !g.JSON {
		people(g.Stdout)
		return nil
	}
	enc := json.NewEncoder(g.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// A usageError is the user's mistake: exit code 2.
type usageError struct{ error }

// Unwrap returns what is wrong.
func (e usageError) Unwrap() error { return e.error }

// usagef makes a usageError; the text names the flag.
func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// An exitCode as an error ends the program silently: all was said already.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// A shared writer may be written to by several goroutines at once.
type shared struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

// run is the program: main without its process. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	defer func() {
		// kong ends the program from within for --help.
		if r := recover(); r != nil {
			asked, ok := r.(exitCode)
			if !ok {
				panic(r)
			}
			code = int(asked)
		}
	}()
	var c cli
	if len(args) == 1 && args[0] == "--version" { // no flag: some commands have one of that name
		args = []string{"version"}
	}
	parser, err := kong.New(&c,
		kong.Name("matou"),
		kong.Description("A device cloud that Aliyun and OneNET devices dock at, and the bench for making them."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exitCode(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Vars{"version": builtAs()},
	)
	if err != nil {
		panic(err) // our own tags are wrong
	}
	kctx, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "matou: %v\n", err)
		if pe, ok := errors.AsType[*kong.ParseError](err); ok {
			fmt.Fprintf(stderr, "See '%s --help'.\n", commandOf(pe.Context))
		}
		return exitUsage
	}
	c.Ctx, c.Stdin, c.Stdout, c.Stderr = ctx, stdin, &shared{w: stdout}, &shared{w: stderr}
	return exitCodeOf(&c.langFlag, kctx.Run(&c.globals), stderr)
}

// commandOf names the command as far as it was understood.
func commandOf(k *kong.Context) string {
	if k != nil {
		if node := k.Selected(); node != nil {
			return node.FullPath()
		}
		if len(k.Path) > 0 {
			return k.Path[len(k.Path)-1].Node().FullPath()
		}
	}
	return "matou"
}

func exitCodeOf(lang *langFlag, err error, stderr io.Writer) int {
	if err == nil {
		return exitDone
	}
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	said := err.Error()
	if lang.chinese() {
		said = wording.Chinese(err)
	}
	fmt.Fprintf(stderr, "matou: %s\n", said)
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}
