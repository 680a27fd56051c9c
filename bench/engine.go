//go:build linux

package main

import (
	"context"
	"net"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/matou-iot/matou/internal/broker"
)

// serveBroker is the hidden subcommand by which this program runs the engine
// alone.
const serveBroker = "serve-broker"

// engineLimits lifts what would make it drop messages, as it is lifted for the
// peers.
var engineLimits = broker.Limits{QueueCount: 1 << 16, QueueBytes: 64 << 20}

// runBroker serves the engine on addr until it is told to stop.
func runBroker(addr string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b, err := broker.New(broker.Options{Rules: broker.OpenRules{}, Limits: engineLimits})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.Serve(ctx, ln) })
	g.Go(func() error { return b.Run(ctx) })
	return g.Wait()
}
