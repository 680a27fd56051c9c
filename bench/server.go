//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// startPatience is how long a server may take to its first CONNACK.
	startPatience = 30 * time.Second
	// stopPatience is how long it may take to stop before it is killed.
	stopPatience = 20 * time.Second
	// sayBytes is how much of what a server says is kept for an error.
	sayBytes = 4 << 10
)

// A peer is a kind of server that can be measured.
type peer struct {
	name    string
	version string
	// start runs one with its data in dir, which may hold those of an earlier
	// run.
	start func(ctx context.Context, dir string, keeps bool) (*server, error)
	// cloud says that it knows its devices: they have to be made, and their
	// messages are more than forwarded.
	cloud bool
	// keeps says that sessions can survive a restart.
	keeps bool
}

// A server is a running one.
type server struct {
	peer  *peer
	cmd   *exec.Cmd
	addr  string // host:port for MQTT
	said  *tail
	gone  chan struct{} // closed when it has ended
	begun time.Time

	matou *matouAPI // of a cloud
}

// launch starts a program and returns at once.
func launch(ctx context.Context, p *peer, addr, program string, args ...string) (*server, error) {
	s := &server{peer: p, addr: addr, said: new(tail), gone: make(chan struct{}), begun: time.Now()}
	s.cmd = exec.CommandContext(ctx, program, args...)
	s.cmd.Stderr = s.said
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = stopPatience
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	go func() {
		s.cmd.Wait()
		close(s.gone)
	}()
	return s, nil
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// stop ends the server and waits until it has.
func (s *server) stop() error {
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.gone:
		return nil
	case <-time.After(stopPatience):
	}
	s.cmd.Process.Kill()
	<-s.gone
	return fmt.Errorf("%s did not stop within %v and was killed", s.peer.name, stopPatience)
}

// fault adds what the server said last to an error about it.
func (s *server) fault(err error) error {
	select {
	case <-s.gone:
		err = fmt.Errorf("%w; %s has ended: %v", err, s.peer.name, s.cmd.ProcessState)
	default:
	}
	if said := s.said.String(); said != "" {
		err = fmt.Errorf("%w; it said: %s", err, said)
	}
	return err
}

// await returns when l has been let in, and whether its session was there.
func (s *server) await(ctx context.Context, l login, clean bool) (present bool, err error) {
	deadline := time.Now().Add(startPatience)
	for {
		present, err := knock(s.addr, l, clean)
		if err == nil {
			return present, nil
		}
		select {
		case <-s.gone:
			return false, s.fault(err)
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return false, s.fault(fmt.Errorf("%s let nobody in for %v: %w", s.peer.name, startPatience, err))
		}
	}
}

// knock connects once and leaves again.
func knock(addr string, l login, clean bool) (present bool, err error) {
	nc, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false, err
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(startPatience))
	if _, err := nc.Write(appendConnect(nil, l, clean, keepAlive)); err != nil {
		return false, err
	}
	var answer [4]byte
	for n := 0; n < len(answer); {
		m, err := nc.Read(answer[n:])
		if err != nil {
			return false, err
		}
		n += m
	}
	if answer[0] != connack<<4 || answer[3] != 0 {
		return false, fmt.Errorf("CONNACK %x", answer)
	}
	_, err = nc.Write(disconnectFrame)
	return answer[2]&1 != 0, err
}

// freeAddr is a loopback address that nobody uses, at this moment.
func freeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// visitor is who asks whether an anonymous server is there.
var visitor = login{clientID: "bench-visitor"}

// anonymous starts a server that lets everybody in and waits until it does.
func anonymous(ctx context.Context, p *peer, command func(addr string) (program string, args []string, err error)) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	program, args, err := command(addr)
	if err != nil {
		return nil, err
	}
	s, err := launch(ctx, p, addr, program, args...)
	if err != nil {
		return nil, err
	}
	if _, err := s.await(ctx, visitor, true); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// A bench's programs are what was built for it.
type programs struct{ matou, mochi, nats, self string }

// peers are all that can be measured, in the order in which they take turns.
func peers(b programs) []*peer {
	return []*peer{matouPeer(b.matou), enginePeer(b.self), mosquittoPeer(), goPeer("mochi", b.mochi), goPeer("nats", b.nats)}
}

// enginePeer is Matou's MQTT engine alone: no registry, no rights, nothing kept.
func enginePeer(self string) *peer {
	p := &peer{name: "engine", version: "Matou's MQTT engine alone, anonymous"}
	p.start = func(ctx context.Context, _ string, _ bool) (*server, error) {
		return anonymous(ctx, p, func(addr string) (string, []string, error) {
			return self, []string{serveBroker, addr}, nil
		})
	}
	return p
}

// mosquittoConf lifts the limits that would make it drop messages. What
// Debian ships stays otherwise as it is.
const mosquittoConf = `listener %s %s
allow_anonymous true
log_type error
max_inflight_messages 0
max_queued_messages 0
persistence %t
persistence_location %s/
`

func mosquittoPeer() *peer {
	p := &peer{name: "mosquitto", keeps: true}
	p.start = func(ctx context.Context, dir string, keeps bool) (*server, error) {
		return anonymous(ctx, p, func(addr string) (string, []string, error) {
			host, port, err := net.SplitHostPort(addr)
			if err != nil {
				return "", nil, err
			}
			conf := fmt.Sprintf(mosquittoConf, port, host, keeps, dir)
			if os.Geteuid() == 0 {
				conf += "user root\n" // it would give up the right to its directory
			}
			file := filepath.Join(dir, "mosquitto.conf")
			return "mosquitto", []string{"-c", file}, os.WriteFile(file, []byte(conf), 0o600)
		})
	}
	return p
}

// goPeer is a program of bench/peers.
func goPeer(name, program string) *peer {
	p := &peer{name: name}
	p.start = func(ctx context.Context, dir string, _ bool) (*server, error) {
		return anonymous(ctx, p, func(addr string) (string, []string, error) {
			args := []string{"--addr", addr}
			if name == "nats" {
				args = append(args, "--dir", dir)
			}
			return program, args, nil
		})
	}
	return p
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write keeps the last sayBytes.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b.Write(p)
	if over := t.b.Len() - sayBytes; over > 0 {
		t.b.Next(over)
	}
	return len(p), nil
}

// String is what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(t.b.String())
}
