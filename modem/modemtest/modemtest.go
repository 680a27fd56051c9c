// Package modemtest plays modules to drivers under test: a transcript is the
// module, the driver gets a port that leads to it. What is around a virtual
// module is played too: a World, with a Broker in it.
package modemtest

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/matou-iot/matou/at/transcript"
)

// Play reads a transcript from a file and plays its module. port leads to it;
// wait returns when the transcript has been played to its end, and fails the
// test where the driver left it. After the last line the module is silent;
// where the driver left the transcript, the port breaks.
func Play(t *testing.T, file string) (port net.Conn, wait func()) {
	t.Helper()
	conversation, err := transcript.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return Perform(t, file, conversation)
}

// Script is Play for a transcript in the test itself.
func Script(t *testing.T, text string) (port net.Conn, wait func()) {
	t.Helper()
	conversation, err := transcript.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return Perform(t, t.Name(), conversation)
}

// Perform is Play for a transcript that has been read.
func Perform(t *testing.T, name string, conversation *transcript.Transcript) (port net.Conn, wait func()) {
	t.Helper()
	port, module := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := transcript.Player{As: transcript.Module, Pace: 1}.Play(ctx, conversation, module)
		done <- err
		if err == nil {
			io.Copy(io.Discard, module) // it listens, and has no more to say
		}
		module.Close()
	}()
	t.Cleanup(func() {
		cancel()
		port.Close()
		module.Close()
	})
	return port, func() {
		t.Helper()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
