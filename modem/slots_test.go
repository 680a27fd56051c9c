package modem_test

import (
	"reflect"
	"testing"

	"github.com/matou-iot/matou/modem"
)

func TestSlots(t *testing.T) {
	s := modem.NewSlots[int](3)
	claim := func(want int) {
		t.Helper()
		if n, err := s.Claim(func(id int) *int { return &id }); err != nil || *n != want {
			t.Fatalf("%v, %v: wanted %d", n, err, want)
		}
	}
	claim(0)
	s.Free(0)
	claim(1) // 0 rests
	claim(2)
	claim(0)
	if n, err := s.Claim(func(id int) *int { return &id }); err != modem.ErrInUse {
		t.Errorf("%v, %v", n, err)
	}
	s.Free(1)
	var all []int
	for _, n := range s.All() {
		all = append(all, *n)
	}
	if !reflect.DeepEqual(all, []int{0, 2}) || *s.Get(2) != 2 {
		t.Errorf("all %v", all)
	}
	for _, none := range []int{-1, 1, 3} {
		if s.Get(none) != nil {
			t.Errorf("there is a %d", none)
		}
	}
	claim(1)
}

func TestHostPort(t *testing.T) {
	if host, port, err := modem.HostPort("[::1]:65535"); host != "::1" || port != 65535 || err != nil {
		t.Errorf("%q, %d, %v", host, port, err)
	}
	for _, bad := range []string{"", "x", "x:", "x:y", "x:0", "x:65536", "x:-1", "x:1883:1"} {
		if host, port, err := modem.HostPort(bad); err == nil {
			t.Errorf("%s: %q, %d", bad, host, port)
		}
	}
}
