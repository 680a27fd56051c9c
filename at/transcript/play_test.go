package transcript

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func mustParse(t *testing.T, text string) *Transcript {
	t.Helper()
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pair plays both sides against each other.
func pair(t *testing.T, host, module *Transcript, values map[string]string, pace float64) (map[string]string, error, error) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	other := make(chan error, 1)
	go func() {
		_, err := Player{As: Module, Values: values, Pace: pace}.Play(ctx, module, b)
		other <- err
	}()
	found, err := Player{As: Host, Values: values}.Play(ctx, host, a)
	a.Close()
	return found, err, <-other
}

func TestBothSides(t *testing.T) {
	p := mustParse(t, `
> AT+CIFSR\r\n
< +CIFSR:STAIP,"{{ip}}"\r\n
< +CIFSR:STAMAC,"{{mac:[0-9a-f:]{17}}}"\r\n
< \r\nOK\r\n
> AT+CIPSEND=5\r\n
< \r\nOK\r\n>\x20
> hello
! {{ip}}\r\n
`)
	values := map[string]string{"mac": "5c:cf:7f:01:02:03", "ip": "10.0.0.7"}
	found, host, module := pair(t, p, p, values, 0)
	if host != nil || module != nil {
		t.Fatalf("host %v, module %v", host, module)
	}
	if found["ip"] != "10.0.0.7" {
		t.Errorf("found %v", found)
	}
}

func TestValuesAreFound(t *testing.T) {
	module := mustParse(t, "> ?\n< port 52104 52104\\r\\n\n< key=abc;\n")
	host := mustParse(t, "> ?\n< port {{port:\\d+}} {{port}}\\r\\n\n< key={{key}};\n")
	found, h, m := pair(t, host, module, nil, 0)
	if h != nil || m != nil || found["port"] != "52104" || found["key"] != "abc" {
		t.Errorf("%v, %v, %v", found, h, m)
	}
	module = mustParse(t, "> ?\n< port 52104 52105\\r\\n\n")
	if _, h, _ := pair(t, mustParse(t, "> ?\n< port {{port:\\d+}} {{port}}\\r\\n\n"), module, nil, 0); h == nil {
		t.Error("one name stood for two values")
	}
}

func TestMismatchShowsWhere(t *testing.T) {
	host := mustParse(t, "> AT\n# the answer\n< AT\\r\\n\n< \\r\\nOK {{n}}\\r\\n\n")
	module := mustParse(t, "> AT\n< AT\\r\\n\\r\\nERROR\\r\\n\n")
	_, err, _ := pair(t, host, module, nil, 0)
	want := `line 4: not what was expected
  want < \r\nOK {{n}}\r\n
  got  < \r\nERROR\r\n
             ^`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestTooMuch(t *testing.T) {
	_, err, _ := pair(t, mustParse(t, "> AT\n< OK\n"), mustParse(t, "> AT\n< OK and more\n"), nil, 0)
	if !errors.Is(err, ErrTooMuch) || !strings.Contains(err.Error(), " and more") {
		t.Errorf("%v", err)
	}
}

func TestSilenceEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer a.Close()
		go io.Copy(io.Discard, b)
		defer b.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := Player{As: Host}.Play(ctx, mustParse(t, "> AT\n< OK\n"), a)
		e, is := errors.AsType[*Mismatch](err)
		if !is || !errors.Is(err, context.DeadlineExceeded) || e.Line.Number != 2 {
			t.Errorf("%v", err)
		}
		if !strings.HasPrefix(err.Error(), "line 2: context deadline exceeded before all of it came\n  want < OK\n") {
			t.Errorf("%v", err)
		}
		// The port is free again.
		go b.Write([]byte("x"))
		if n, err := a.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("afterwards: %d, %v", n, err)
		}
	})
}

func TestOtherSideGone(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	b.Close()
	if _, err := (Player{As: Module}).Play(t.Context(), mustParse(t, "> AT\n< OK\n"), a); !errors.Is(err, io.EOF) {
		t.Errorf("hearing: %v", err)
	}
	if _, err := (Player{As: Host}).Play(t.Context(), mustParse(t, "> AT\n< OK\n"), a); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("saying: %v", err)
	}
}

func TestMissingValue(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	_, err := Player{As: Host}.Play(t.Context(), mustParse(t, "> {{n}}\n"), a)
	if err == nil || err.Error() != "transcript line 1: nothing says what {{n}} stands for: give it in Values" {
		t.Errorf("%v", err)
	}
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustParse(t, "> AT\n@1.500s < OK\n@3s < done\n")
		begun := time.Now()
		_, h, m := pair(t, p, p, nil, 2)
		if h != nil || m != nil || time.Since(begun) != 1500*time.Millisecond {
			t.Errorf("%v, %v after %v", h, m, time.Since(begun))
		}
	})
}

// TestMatchIsIncremental: whatever the pieces, the verdict on the whole is the
// same, and no beginning of a matching text differs.
func TestMatchIsIncremental(t *testing.T) {
	p := mustParse(t, "< a{{x}}b\\r\\n{{y:\\d+}},{{x}}\\r\\n\n")
	const text = "a12bb\r\n34,12b\r\n"
	for n := range len(text) {
		if r, _ := (values{}).match(p.Lines[0].Parts, []byte(text[:n])); r != wantsMore {
			t.Errorf("%q: %d", text[:n], r)
		}
	}
	v := values{}
	if r, n := v.match(p.Lines[0].Parts, []byte(text+"rest")); r != matches || n != len(text) || string(v["x"]) != "12b" {
		t.Errorf("%d, %d, %q", r, n, v)
	}
	lines := mustParse(t, "< {{x:(?s).{4}}};\n").Lines[0].Parts
	if r, n := (values{}).match(lines, []byte("a\r\nb;")); r != matches || n != 5 {
		t.Errorf("(?s): %d, %d", r, n)
	}
	for _, bad := range []string{"b", "a\r", "a1b\r\nx", "a1b\r\n2,3"} {
		if r, _ := (values{}).match(p.Lines[0].Parts, []byte(bad)); r == matches {
			t.Errorf("%q matches", bad)
		}
	}
}
