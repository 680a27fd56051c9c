package test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// A puppet is a device, or a gateway with its sub-devices, played by a vendor's
// own SDK (test/node/puppet.js): the story says what to do, and what the SDK
// tells its application is read here.
type puppet struct {
	t     *testing.T
	stdin io.Writer
	told  chan happening
	early []happening // told while the story waited for something else
	log   *buffer
}

// A happening is one thing that an SDK tells its application.
type happening struct {
	From, Heard, Reply string
	Topic, Payload     string // hexadecimal
	Message            any
}

// puppet starts a vendor's SDK for Node.
func (m *matou) puppet(sdk string) *puppet {
	m.t.Helper()
	need(m.t, "node")
	if _, err := os.Stat(filepath.Join("node", "node_modules", sdk)); err != nil {
		m.t.Skipf("SKIPPED: %s is missing from test/node/node_modules; run test/prepare", sdk)
	}
	return m.play(exec.Command("node", "puppet.js"), "node", "SDK="+sdk)
}

// play starts a program that takes orders on its standard input.
func (m *matou) play(cmd *exec.Cmd, dir string, env ...string) *puppet {
	m.t.Helper()
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	in, err := cmd.StdinPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	p := &puppet{t: m.t, stdin: in, told: make(chan happening, 1000), log: new(buffer)}
	cmd.Stderr = p.log
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var h happening
			if json.Unmarshal(lines.Bytes(), &h) != nil {
				p.log.Write(append(lines.Bytes(), '\n')) // what the SDK itself prints
				continue
			}
			p.told <- h
		}
	}()
	m.t.Cleanup(func() {
		in.Close() // it ends by itself, or is ended
		late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		<-read
		cmd.Wait()
		late.Stop()
		if m.t.Failed() && p.log.String() != "" {
			m.t.Logf("the SDK printed\n%s", p.log)
		}
	})
	return p
}

// do gives the puppet an order; see acts in puppet.js.
func (p *puppet) do(act string, order object) {
	p.t.Helper()
	order["act"] = act
	raw, err := json.Marshal(order)
	if err != nil {
		p.t.Fatal(err)
	}
	p.line(string(raw))
}

// line gives the puppet an order in its own form.
func (p *puppet) line(words ...string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, strings.Join(words, "\t")+"\n"); err != nil {
		p.t.Fatalf("%v\n%s", err, p.log)
	}
}

// awaits reads what the SDK tells until it is what the story is about.
func (p *puppet) awaits(what string, is func(happening) bool) happening {
	p.t.Helper()
	for i, h := range p.early {
		if is(h) {
			p.early = slices.Delete(p.early, i, i+1)
			return h
		}
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case h := <-p.told:
			if is(h) {
				return h
			}
			if h.Heard == "error" {
				p.t.Fatalf("waiting for %s, the SDK told %v", what, h.Message)
			}
			p.early = append(p.early, h)
		case <-late.C:
			raw, _ := json.Marshal(p.early)
			p.t.Fatalf("waited for %s, the SDK told only\n%s", what, raw)
		}
	}
}

// hears waits for what the SDK tells by a listener: connect, props, shadow …
func (p *puppet) hears(name, what string) any {
	p.t.Helper()
	return p.awaits(name+" to hear "+what, func(h happening) bool { return h.From == name && h.Heard == what }).Message
}

// call calls a method of the SDK and returns what its callback was given.
func (p *puppet) call(name, method string, args ...any) any {
	p.t.Helper()
	if args == nil {
		args = []any{}
	}
	p.do("call", object{"name": name, "method": method, "args": args})
	return p.replied(name, method)
}

// tell calls a method that has no callback.
func (p *puppet) tell(name, method string, args ...any) {
	p.t.Helper()
	if args == nil {
		args = []any{}
	}
	p.do("call", object{"name": name, "method": method, "args": args})
}

func (p *puppet) replied(name, method string) any {
	p.t.Helper()
	return p.awaits("the answer to "+method+" of "+name, func(h happening) bool { return h.From == name && h.Reply == method }).Message
}

// wants is the answer to a call, without its id, which the SDK chose.
func (p *puppet) wants(got any, want object) {
	p.t.Helper()
	if o, ok := got.(object); ok {
		delete(o, "id")
	}
	raw, _ := json.Marshal(want) // numbers as JSON has them
	var w any
	json.Unmarshal(raw, &w)
	if !reflect.DeepEqual(got, w) {
		g, _ := json.Marshal(got)
		p.t.Fatalf("the SDK was told %s\nwant %s", g, raw)
	}
}

// publish sends bytes on any topic.
func (p *puppet) publish(name, topic, payload string, qos int) {
	p.t.Helper()
	p.do("publish", object{"name": name, "topic": topic, "payload": hex.EncodeToString([]byte(payload)), "qos": qos})
	p.wants(p.replied(name, "publish"), object{"error": ""})
}

// message waits for a message on a topic.
func (p *puppet) message(name, topic string) string {
	p.t.Helper()
	h := p.awaits("a message on "+topic, func(h happening) bool { return h.From == name && h.Heard == "message" && h.Topic == topic })
	raw, err := hex.DecodeString(h.Payload)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(raw)
}

// at returns a member deep inside JSON, nil if there is none.
func at(v any, path ...any) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			o, _ := v.(object)
			v = o[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}
