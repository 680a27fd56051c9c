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
