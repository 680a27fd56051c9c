package script

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/fault"
)

// TestMain lets the test's own program be the worker.
func TestMain(m *testing.M) {
	if os.Getenv("MATOU_TEST_WORKER") != "" {
		if err := Work(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func workerOf(t testing.TB) func() *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return func() *exec.Cmd {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "MATOU_TEST_WORKER=1")
		return cmd
	}
}

// memory is a Store.
type memory struct {
	mu sync.Mutex
	m  map[string]Script
}

func (m *memory) Script(_ context.Context, product string) (*Script, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.m[product]
	if !ok {
		return nil, ErrNotFound
	}
	return &s, nil
}

func (m *memory) SaveScript(_ context.Context, s *Script) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.m[s.Product] = *s
	return nil
}

func (m *memory) DeleteScript(_ context.Context, product string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.m[product]; !ok {
		return ErrNotFound
	}
	delete(m.m, product)
	return nil
}

func newScripts(t testing.TB) *Scripts {
	s := New(Options{Store: &memory{m: make(map[string]Script)}, Worker: workerOf(t)})
	t.Cleanup(s.Close)
	return s
}

// lamp reads and writes the frames of the platform's own example: a command, an
// id of four bytes, then an int16, a bool and a float.
const lamp = `
// the examples of the platform use what ES5 and typed arrays give
var COMMAND_REPORT = 0x00, COMMAND_SET = 0x01;
function rawDataToProtocol(bytes) {
  var uint8Array = new Uint8Array(bytes.length);
  for (var i = 0; i < bytes.length; i++) { uint8Array[i] = bytes[i] & 0xff; }
  var view = new DataView(uint8Array.buffer, 0);
  var message = {};
  if (uint8Array[0] == COMMAND_REPORT) {
    message['method'] = 'thing.event.property.post';
    message['version'] = '1.0';
    message['id'] = '' + view.getInt32(1);
    message['params'] = { prop_float: view.getFloat32(8), prop_int16: view.getInt16(5), prop_bool: uint8Array[7] };
  } else {
    message['version'] = '1.0';
    message['id'] = '' + view.getInt32(1);
    message['code'] = '' + uint8Array[5];
    message['data'] = {};
  }
  return message;
}
function protocolToRawData(json) {
  var id = parseInt(json['id']), out = [];
  if (json['method'] == 'thing.service.property.set') {
    out = out.concat([COMMAND_SET]).concat(int32(id)).concat(int16(json['params']['prop_int16']));
  } else {
    out = out.concat([0x02]).concat(int32(id)).concat([json['code'] == 200 ? 0 : -1]);
  }
  return out;
}
function int32(v) { var b = new ArrayBuffer(4); new DataView(b).setInt32(0, v); return [].slice.call(new Uint8Array(b)); }
function int16(v) { var b = new ArrayBuffer(2); new DataView(b).setInt16(0, v); return [].slice.call(new Uint8Array(b)); }
function transformPayload(topic, raw) { return { topic: topic, length: raw.length }; }
`

func TestTheBytesOfTheDocumentation(t *testing.T) {
	s := newScripts(t)
	ctx := t.Context()
	set, err := s.Set(ctx, "lamp", lamp)
	if err != nil || strings.Join(set.Functions, " ") != "rawDataToProtocol protocolToRawData transformPayload" || set.Version != 1 {
		t.Fatalf("%+v, %v", set, err)
	}
	raw, _ := hex.DecodeString("00002233441232013fa00000")
	doc, err := s.Decode(ctx, "lamp", raw)
	want := `{"method":"thing.event.property.post","version":"1.0","id":"2241348","params":{"prop_float":1.25,"prop_int16":4658,"prop_bool":1}}`
	if err != nil || string(doc) != want {
		t.Errorf("%s, %v\nwant %s [aliyun-device §5.9]", doc, err, want)
	}
	out, err := s.Encode(ctx, "lamp", []byte(`{"method":"thing.service.property.set","id":"12345","version":"1.0","params":{"prop_int16":-1}}`))
	if err != nil || hex.EncodeToString(out) != "0100003039ffff" {
		t.Errorf("set: %x, %v", out, err)
	}
	out, err = s.Encode(ctx, "lamp", []byte(`{"code":460,"data":{},"id":"1"}`))
	if err != nil || hex.EncodeToString(out) != "0200000001ff" {
		t.Errorf("reply: %x, %v: a negative byte is one in two's complement", out, err)
	}
	doc, err = s.Transform(ctx, "lamp", "/pk/dn/user/update", raw)
	if err != nil || string(doc) != `{"topic":"/pk/dn/user/update","length":12}` {
		t.Errorf("transform: %s, %v", doc, err)
	}
}

func TestWhatScriptsDoWrong(t *testing.T) {
	s := newScripts(t)
	for _, tt := range []struct {
		name, source, function string
		kind                   Kind // "": whichever bound this machine meets first
		code                   int
	}{
		{"nothing returned", `function rawDataToProtocol(b) {}`, Decode, NoResult, 6201},
		{"null returned", `function rawDataToProtocol(b) { return null }`, Decode, NoResult, 6201},
		{"no bytes returned", `function protocolToRawData(j) {}`, Encode, NoResult, 6201},
		{"a text that is no JSON", `function rawDataToProtocol(b) { return "hello" }`, Decode, NotJSON, 6207},
		{"a number", `function rawDataToProtocol(b) { return 7 }`, Decode, WrongResult, 26007},
		{"a list", `function rawDataToProtocol(b) { return [1] }`, Decode, WrongResult, 26007},
		{"an object for bytes", `function protocolToRawData(j) { return {a:1} }`, Encode, WrongResult, 26007},
		{"an exception", `function rawDataToProtocol(b) { throw new Error("bad frame") }`, Decode, Exception, 26002},
		{"an unknown name", "\nfunction rawDataToProtocol(b) {\n  return nothing.at.all }", Decode, Exception, 26002},
		{"a function that is missing", `function protocolToRawData(j) { return [1] }`, Decode, NoFunction, 26006},
		{"a loop for ever", `function rawDataToProtocol(b) { for (;;) {} }`, Decode, OutOfTime, 26002},
		{"a loop for ever in a finally", `function rawDataToProtocol(b) { try { for (;;) {} } finally { for (;;) {} } }`, Decode, OutOfTime, 26002},
		{"a loop when it is loaded", `function rawDataToProtocol(b) { return {} } for (;;) {}`, Decode, OutOfTime, 26002},
		{"a text that doubles for ever", `function rawDataToProtocol(b) { var s = "x"; for (;;) s += s }`, Decode, "", 26002},
		{"an array that grows for ever", `function rawDataToProtocol(b) { var a = []; for (;;) a.push({a: [1, 2, 3]}) }`, Decode, "", 26002},
		{"an allocation of gigabytes", `function rawDataToProtocol(b) { return {a: "x".repeat(500000000)} }`, Decode, OutOfMemory, 26002},
		{"as many as the device says", `function rawDataToProtocol(b) { return Array.apply(null, {length: 900000000}) }`, Decode, OutOfMemory, 26002},
		{"a native that goes on for ever", `function rawDataToProtocol(b) { return [].indexOf.call({length: 9007199254740991}, 1) }`, Decode, OutOfTime, 26002},
		{"a list of itself, doubled", `function rawDataToProtocol(b) { var a = [1]; for (var i = 0; i < 40; i++) a = [a, a]; return {a: a} }`, Decode, "", 26002},
		{"functions for ever", `function rawDataToProtocol(b) { return rawDataToProtocol(b) }`, Decode, Exception, 26002},
		{"a search that goes back for ever", `function rawDataToProtocol(b) { return {a: /^(?=a)(a+)+$/.test("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")} }`, Decode, OutOfTime, 26002},
		{"gigabytes returned", `function protocolToRawData(j) { return {length: 1e12} }`, Encode, TooLarge, 26007},
		{"more than a message may hold", `function protocolToRawData(j) { return new Uint8Array(262145) }`, Encode, TooLarge, 26007},
		{"not compiled", "function rawDataToProtocol(b) {\n  return {", Decode, Syntax, 26002},
		{"brackets for ever", strings.Repeat("[", 120000), Decode, "", 26002},
	} {
		r, err := s.Try(t.Context(), Trial{Product: "p", Source: tt.source, Function: tt.function, Bytes: []byte{1}, JSON: `{"id":"1"}`})
		if err != nil || r.Err == nil {
			t.Errorf("%s: %+v, %v", tt.name, r, err)
			continue
		}
		if tt.kind == "" && !slices.Contains([]Kind{OutOfTime, OutOfMemory, Exception, TooLarge, Syntax}, r.Err.Kind) {
			t.Errorf("%s: %+v, which is no bound", tt.name, r.Err)
		}
		if r.Err.Kind != tt.kind && tt.kind != "" || r.Err.Code() != tt.code {
			t.Errorf("%s: %+v, code %d", tt.name, r.Err, r.Err.Code())
		}
		if r.Err.Error() == "" || r.Err.SentenceZH() == "" {
			t.Errorf("%s: no sentence", tt.name)
		}
		// Whatever that one did, the next one does not notice.
		well, err := s.Try(t.Context(), Trial{Product: "q", Source: lamp, Function: Encode, JSON: `{"id":"1","code":200}`})
		if err != nil || well.Err != nil || hex.EncodeToString(well.Bytes) != "020000000100" {
			t.Fatalf("after %s: %+v, %v", tt.name, well, err)
		}
	}
}

func TestThePlaceOfAMistakeIsNamed(t *testing.T) {
	s := newScripts(t)
	for _, tt := range []struct {
		source string
		line   int
	}{
		{"var a;\nfunction rawDataToProtocol(b) {\n  return nothing.at.all\n}", 3},
		{"function rawDataToProtocol(b) {\n\n\n  var = 1 }", 4},
	} {
		r, err := s.Try(t.Context(), Trial{Source: tt.source, Function: Decode})
		if err != nil || r.Err == nil || r.Err.Line != tt.line {
			t.Errorf("%q: %+v, %v", tt.source, r.Err, err)
		}
	}
}

func TestNothingIsLeftOfACall(t *testing.T) {
	s := newScripts(t)
	if _, err := s.Set(t.Context(), "p", `var n = 0; function rawDataToProtocol(b) { n++; JSON.stringify = null; return {n: n} }`); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if doc, err := s.Decode(t.Context(), "p", []byte{1}); err != nil || string(doc) != `{"n":1}` {
			t.Fatalf("%s, %v", doc, err)
		}
	}
}

func TestScriptsReachNothing(t *testing.T) {
	s := newScripts(t)
	const source = `function rawDataToProtocol(b) { return {require: typeof require, process: typeof process, fetch: typeof fetch, XMLHttpRequest: typeof XMLHttpRequest, setTimeout: typeof setTimeout} }
//# sourceMappingURL=/etc/passwd`
	r, err := s.Try(t.Context(), Trial{Source: source, Function: Decode})
	if err != nil || r.Err != nil || strings.Count(r.JSON, `"undefined"`) != 5 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestLinesOfATrial(t *testing.T) {
	s := newScripts(t)
	r, err := s.Try(t.Context(), Trial{Source: `function rawDataToProtocol(b) { for (var i = 0; i < 1000; i++) console.log("frame", b, i); return {} }`, Function: Decode, Bytes: []byte{1, 255}})
	if err != nil || len(r.Log) != maxLines || r.Log[1] != "frame 1,255 1" || r.Took <= 0 {
		t.Errorf("%d lines, %+v, %v", len(r.Log), r, err)
	}
}

func TestScriptsThatAreRefused(t *testing.T) {
	s := newScripts(t)
	for name, source := range map[string]string{
		"empty": " \n", "too long": strings.Repeat("//\n", MaxSource/3+1), "no function": "var a = 1", "not compiled": "function (", "no text": "\xff",
		"loops when it is loaded": "function rawDataToProtocol() {} while (true);",
	} {
		if _, err := s.Set(t.Context(), "p", source); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Script(t.Context(), "p"); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("a refused script was kept: %v", err)
	}
}

func TestAScriptIsReplacedAndDeleted(t *testing.T) {
	s, ctx := newScripts(t), t.Context()
	for i := range 2 {
		if _, err := s.Set(ctx, "p", fmt.Sprintf(`function rawDataToProtocol(b) { return {n: %d} }`, i)); err != nil {
			t.Fatal(err)
		}
		if doc, err := s.Decode(ctx, "p", nil); err != nil || string(doc) != fmt.Sprintf(`{"n":%d}`, i) {
			t.Errorf("%s, %v", doc, err)
		}
		if now, err := s.Script(ctx, "p"); err != nil || now.Version != i+1 || !s.Raw(ctx, "p") {
			t.Errorf("%+v, %v", now, err)
		}
	}
	if err := s.Delete(ctx, "p"); err != nil || s.Raw(ctx, "p") {
		t.Error(err)
	}
	if _, err := s.Decode(ctx, "p", nil); !isKind(err, Missing) {
		t.Errorf("%v [aliyun-device §5.9: 6200]", err)
	}
	if err := s.Delete(ctx, "p"); fault.KindOf(err) != fault.KindNotFound {
		t.Error(err)
	}
}

func isKind(err error, k Kind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == k
}

func TestAScriptThatReachesItsLimitsRests(t *testing.T) {
	s, ctx := newScripts(t), t.Context()
	now := time.Now()
	s.Now = func() time.Time { return now }
	if _, err := s.Set(ctx, "p", `function rawDataToProtocol(b) { if (b[0]) for (;;) {} ; return {} }`); err != nil {
		t.Fatal(err)
	}
	for range mostStrikes {
		if _, err := s.Decode(ctx, "p", []byte{1}); !isKind(err, OutOfTime) {
			t.Fatal(err)
		}
	}
	if _, err := s.Decode(ctx, "p", []byte{0}); !isKind(err, Throttled) {
		t.Errorf("%v: it goes on", err)
	}
	now = now.Add(firstRest)
	if _, err := s.Decode(ctx, "p", []byte{0}); err != nil {
		t.Errorf("after its rest: %v", err)
	}
	if _, err := s.Decode(ctx, "p", []byte{1}); !isKind(err, OutOfTime) {
		t.Errorf("one that did well begins to count anew: %v", err)
	}
}

// One product's slow script leaves another one its turns.
func TestOneProductDoesNotTakeAllTurns(t *testing.T) {
	s, ctx := newScripts(t), t.Context()
	var slow sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		slow.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					s.Try(ctx, Trial{Product: "slow", Source: `function rawDataToProtocol(b) { for (;;) {} }`, Function: Decode})
				}
			}
		})
	}
	for range 10 {
		r, err := s.Try(ctx, Trial{Product: "quick", Source: lamp, Function: Encode, JSON: `{"id":"1","code":200}`})
		if err != nil || r.Err != nil {
			t.Errorf("%+v, %v", r, err)
		}
	}
	close(stop)
	slow.Wait()
}

func FuzzFrames(f *testing.F) {
	s := newScripts(f)
	if _, err := s.Set(f.Context(), "lamp", lamp); err != nil {
		f.Fatal(err)
	}
	raw, _ := hex.DecodeString("00002233441232013fa00000")
	f.Add(raw, []byte(`{"id":"1","code":200}`))
	f.Add([]byte{}, []byte(`{`))
	f.Fuzz(func(t *testing.T, raw, doc []byte) {
		out, err := s.Decode(t.Context(), "lamp", raw)
		if _, ours := errors.AsType[*Error](err); err != nil && !ours {
			t.Errorf("%x: %v", raw, err)
		}
		if err == nil && !bytes.HasPrefix(out, []byte("{")) {
			t.Errorf("%x: %s", raw, out)
		}
		if _, err = s.Encode(t.Context(), "lamp", doc); err != nil {
			if _, ours := errors.AsType[*Error](err); !ours {
				t.Errorf("%s: %v", doc, err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	s := newScripts(b)
	if _, err := s.Set(b.Context(), "lamp", lamp); err != nil {
		b.Fatal(err)
	}
	raw, _ := hex.DecodeString("00002233441232013fa00000")
	for b.Loop() {
		if _, err := s.Decode(b.Context(), "lamp", raw); err != nil {
			b.Fatal(err)
		}
	}
}
