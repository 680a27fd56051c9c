package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/matou-iot/matou/internal/app"
)

// serveCmd runs the server.
type serveCmd struct {
	Config   string   `help:"YAML file with the configuration." placeholder:"FILE" type:"path"`
	Data     string   `help:"Directory of everything that is kept." placeholder:"DIR"`
	Demo     bool     `help:"Make and run the demo: two products, two simulated devices, two free ones."`
	Check    bool     `help:"Check the configuration and stop."`
	Listen   []string `help:"Address for devices; may be given more than once." placeholder:"ADDR"`
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
  matou serve --config matou.yaml --check`
}

// Run serves until it is interrupted.
func (c *serveCmd) Run(g *globals) error {
	config, err := app.Load(c.Config, os.Environ())
	if err != nil {
		return usageError{err}
	}
	c.override(&config)
	if err := config.Check(); err != nil {
		return usageError{err}
	}
	if c.Check {
		fmt.Fprintln(g.Stdout, "the configuration is good")
		return nil
	}
	return app.Run(g.Ctx, config, version, g.Stdout, c.logger(config.Log, g))
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
	config.Demo = config.Demo || c.Demo
	if config.Demo && c.LogLevel == "" && config.Log.Level == "info" {
		config.Log.Level = "warn" // the demo tells the same story in its own words
	}
}

func (c *serveCmd) logger(l app.Log, g *globals) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.Level)) // Check has seen it
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(g.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(g.Stderr, o))
}
