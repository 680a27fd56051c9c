package access

import (
	"fmt"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/fault"
)

func TestFailuresAreBounded(t *testing.T) {
	var f failures
	now := time.Now()
	for i := range maxFailureEntries + 100 {
		if err := f.attempt("admin", fmt.Sprint(i), now); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.seen) > maxFailureEntries || len(f.line) > maxFailureEntries {
		t.Errorf("%d remembered in a line of %d", len(f.seen), len(f.line))
	}
}

func TestOneAddressHasNoEndlessNames(t *testing.T) {
	var f failures
	now := time.Now()
	for i := range maxAddressFailures {
		if err := f.attempt(fmt.Sprint(i), "192.0.2.1", now); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.attempt("one more", "192.0.2.1", now); fault.KindOf(err) != fault.KindExhausted {
		t.Errorf("the next: %v", err)
	}
}

// TestOneHouseIsOneAddress: whoever has an IPv6 address has the 2^64 beside it.
func TestOneHouseIsOneAddress(t *testing.T) {
	var f failures
	now := time.Now()
	for i := range maxFailures {
		if err := f.attempt("admin", fmt.Sprintf("2001:db8:1:2::%x", i+1), now); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.attempt("admin", "2001:db8:1:2:ffff::1", now); fault.KindOf(err) != fault.KindExhausted {
		t.Errorf("from another address of the house: %v", err)
	}
	for _, other := range []string{"2001:db8:1:3::1", "192.0.2.1", "::ffff:192.0.2.2"} {
		if err := f.attempt("admin", other, now); err != nil {
			t.Errorf("from %s: %v", other, err)
		}
	}
	for i := range maxFailures - 1 {
		if err := f.attempt("admin", "192.0.2.1", now); err != nil {
			t.Errorf("try %d from 192.0.2.1: %v", i+2, err)
		}
	}
}
