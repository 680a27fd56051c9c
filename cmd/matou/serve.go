package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/matou-iot/matou/internal/app"
)

// serveCmd runs the server.
type serveCmd struct {
	Config   string   `help:"YAML file with the configuration." placeholder:"FILE" type:"path"`
	Data     string   `help:"Directory of everything that is kept." placeholder:"DIR"`
	Demo     bool     `help:"Make and run the demo: two products, two simulated devices, two free ones."`
	Check    bool     `help:"Check the configuration and stop."`
	Listen   []string `help:"Address for devices; may be given more than once." placeholder:"ADDR"`
	CoAP     []string `name:"coap" help:"UDP address for devices that speak CoAP; may be given more than once." placeholder:"ADDR"`
	CoAPS    []string `name:"coaps" help:"UDP address for CoAP over DTLS; may be given more than once." placeholder:"ADDR"`
	API      string   `name:"api" help:"Address of API and console." placeholder:"ADDR"`
	Host     string   `help:"Host name or address that credentials name for devices." placeholder:"HOST"`
	LogLevel string   `help:"debug, info, warn or error." placeholder:"LEVEL"`
}

// Help shows examples.
func (serveCmd) Help() string {
	return `Everything works without a file and without a flag. Values come from the file,
then from the environment (api.listen is MATOU_API_LISTEN), then from flags.

  matou serve
  matou serve --demo
  matou serve --config matou.yaml --data /var/lib/matou
  matou serve --listen :1883 --listen :443 --host iot.example.com
  matou serve --coap :5682 --coaps :5684
  matou serve --config matou.yaml --check

SIGHUP reads the configuration again: limits, certificates and the log's level
change at once, and nobody is disconnected.`
}

// Run serves until it is interrupted.
func (c *serveCmd) Run(g *globals) error {
	config, err := c.read()
	if err == nil {
		err = config.Check()
	}
	if err != nil {
		return usageError{err}
	}
	strays := app.Strays(os.Environ())
	if c.Check {
		for _, name := range strays {
			fmt.Fprintf(g.Stderr, "%s is in the environment and no key of the configuration: it does nothing\n", name)
		}
		fmt.Fprintln(g.Stdout, "the configuration is good")
		return nil
	}
	ctx, ask, stop := c.hangUps(g)
	defer stop()
	log, level := config.Log.Logger(g.Stderr)
	for _, name := range strays {
		log.Warn("a variable of the environment is no key of the configuration: it does nothing", "variable", name)
	}
	return app.Run(ctx, config, app.Reload{Ask: ask, Read: c.read, Level: level}, builtAs(), g.Stdout, log)
}

// read reads the configuration from all its sources.
func (c *serveCmd) read() (app.Config, error) {
	config, err := app.Load(c.Config, os.Environ())
	c.override(&config)
	return config, err
}

// hangUps says what SIGHUP does: it asks for the configuration to be read
// again. But somebody who tries Matou out on a terminal, without a file that
// could be read again, has closed its window: that stops the server.
func (c *serveCmd) hangUps(g *globals) (ctx context.Context, ask <-chan os.Signal, stop func()) {
	if c.Config == "" && terminalOf(g.Stdin) != nil {
		if signal.Ignored(syscall.SIGHUP) { // nohup
			return g.Ctx, nil, func() {}
		}
		ctx, stop = signal.NotifyContext(g.Ctx, syscall.SIGHUP)
		return ctx, nil, stop
	}
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP)
	return g.Ctx, hangUps, func() { signal.Stop(hangUps) }
}

// override lets flags win.
func (c *serveCmd) override(config *app.Config) {
	set := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	set(&config.Data, c.Data)
	set(&config.API.Listen, c.API)
	set(&config.Devices.Host, c.Host)
	set(&config.Log.Level, c.LogLevel)
	if len(c.Listen) > 0 {
		config.Devices.Listen = c.Listen
	}
	if len(c.CoAP) > 0 {
		config.Devices.CoAP = c.CoAP
	}
	if len(c.CoAPS) > 0 {
		config.Devices.CoAPS = c.CoAPS
	}
	config.Demo = config.Demo || c.Demo
	if config.Demo && c.LogLevel == "" && config.Log.Level == "info" {
		config.Log.Level = "warn" // the demo tells the same story in its own words
	}
}
