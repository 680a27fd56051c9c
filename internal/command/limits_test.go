package command

import (
	"strconv"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
)

// TestAllPendingCommandsAreBounded fills the lists themselves: to send as many
// commands would take long.
func TestAllPendingCommandsAreBounded(t *testing.T) {
	s := New(Options{})
	who := func(i int) dialect.Claim { return dialect.Claim{Product: "p", Device: strconv.Itoa(i)} }
	var last *pending
	for i := range MaxPending {
		last = new(pending)
		if err := s.enlist(who(i), last); err != nil {
			t.Fatal(i, err)
		}
	}
	err := s.enlist(who(MaxPending), new(pending))
	if fault.KindOf(err) != fault.KindExhausted || !strings.Contains(fault.Sentence(err), strconv.Itoa(MaxPending)) {
		t.Error(err)
	}
	s.withdraw(who(MaxPending-1), last)
	s.withdraw(who(MaxPending-1), last) // it is gone already
	if err := s.enlist(who(MaxPending), new(pending)); err != nil {
		t.Error("one ended:", err)
	}
	if err := s.enlist(who(MaxPending+1), new(pending)); fault.KindOf(err) != fault.KindExhausted {
		t.Error("two began:", err)
	}
}
