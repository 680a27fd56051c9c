//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/matou-iot/matou/internal/broker"
)

// holdDevices is the hidden subcommand by which this program holds devices in
// memory and says what they cost.
const holdDevices = "hold-devices"

// held is what that subcommand prints.
type held struct {
	Before, After memory
	Seconds       float64 // that connecting took
}

// inMemory measures the engine's own memory with n devices whose connections
// are pipes in the same process: they need no file, and the kernel holds
// nothing. A device has a session and a subscription.
func inMemory(n func(*plan) int) func(context.Context, *bench, *peer, *sample) error {
	return func(ctx context.Context, b *bench, _ *peer, out *sample) error {
		devices := n(&b.plan)
		self, err := os.Executable()
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, self, holdDevices, strconv.Itoa(devices))
		var said bytes.Buffer
		cmd.Stderr = &said
		raw, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("%w: %s", err, &said)
		}
		var h held
		if err := json.Unmarshal(raw, &h); err != nil {
			return err
		}
		out.Messages, out.Seconds, out.Memory = int64(devices), h.Seconds, h.After
		out.ServerCPU = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		out.Values[perDevice] = float64(h.After.PSS-h.Before.PSS) / float64(devices)
		return nil
	}
}

// hold connects n devices to a broker in this process, and writes what memory
// was before and after. The pipes themselves are made before: they are not
// the broker's.
func hold(n int, out io.Writer) error {
	door := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	near, far := make([]net.Conn, n), make([]net.Conn, n)
	for i := range n {
		near[i], far[i] = net.Pipe()
	}
	limits := engineLimits
	limits.Connections = n + 1
	b, err := broker.New(broker.Options{Limits: limits})
	if err != nil {
		return err
	}
	var h held
	if h.Before, err = live(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.Serve(ctx, door) })
	defer g.Wait()
	defer stop()
	begun := time.Now()
	for i, nc := range near {
		door.conns <- far[i]
		if err := settleDown(nc, i); err != nil {
			return err
		}
	}
	h.Seconds = time.Since(begun).Seconds()
	if h.After, err = live(); err != nil {
		return err
	}
	if open := b.Counters().Clients.Load(); open != int64(n) {
		return fmt.Errorf("%d of %d devices are connected", open, n)
	}
	return json.NewEncoder(out).Encode(h)
}

// settleDown connects and subscribes the i-th device.
func settleDown(nc net.Conn, i int) error {
	id := "bench-" + deviceName(i)
	for _, step := range []struct {
		say   []byte
		await int // bytes of the answer, all of which are known
	}{
		{appendConnect(nil, login{clientID: id}, false, keepAlive), 4},
		{appendSubscribe(nil, 1, plainProduct+"/"+deviceName(i)+"/set", 1), 5},
	} {
		if _, err := nc.Write(step.say); err != nil {
			return err
		}
		var answer [5]byte
		if _, err := io.ReadFull(nc, answer[:step.await]); err != nil {
			return fmt.Errorf("device %d: %w", i, err)
		}
		if answer[step.await-1] > 1 { // return code, or granted QoS
			return fmt.Errorf("device %d was refused: %x", i, answer)
		}
	}
	return nil
}

// live is this process's memory after a collection, with what is free given
// back to the system.
func live() (memory, error) {
	runtime.GC()
	debug.FreeOSMemory()
	return memoryOf(os.Getpid())
}

// pipes is a listener of connections that somebody else makes.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

// Accept returns the next connection.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case nc := <-p.conns:
		return nc, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close makes Accept fail. The broker calls it, more than once.
func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

// Addr is made up.
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
