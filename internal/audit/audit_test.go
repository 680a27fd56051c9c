package audit_test

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/audit"
)

// A shelf keeps all entries.
type shelf struct{ entries []audit.Entry }

func (s *shelf) AppendAudit(_ context.Context, e audit.Entry) error {
	s.entries = append(s.entries, e)
	return nil
}
func (s *shelf) PruneAudit(context.Context, bool, int) error { return nil }
func (s *shelf) AuditEntries(context.Context, audit.Query) ([]audit.Entry, error) {
	return s.entries, nil
}

func TestAFloodOfRefusalsIsCounted(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := &shelf{}
	l := audit.New(audit.Options{Store: s, Now: func() time.Time { return now }})
	for range 1000 {
		l.Add(t.Context(), audit.Entry{Method: "POST"})
	}
	l.Add(t.Context(), audit.Entry{Method: "PUT", Done: true})
	if n := len(s.entries); n != 301 || !s.entries[300].Done {
		t.Fatalf("%d entries", n)
	}
	now = now.Add(time.Minute)
	l.Add(t.Context(), audit.Entry{Method: "POST"})
	if e := s.entries[301]; e.Code != "not_kept" || e.Detail != "700 more refusals in a minute" {
		t.Errorf("%+v", e)
	}
}

func TestTextsAreBounded(t *testing.T) {
	s := &shelf{}
	audit.New(audit.Options{Store: s}).Add(t.Context(), audit.Entry{Who: strings.Repeat("码", 1000)})
	if who := s.entries[0].Who; len(who) > 520 || !utf8.ValidString(who) {
		t.Errorf("%d bytes: %q", len(who), who)
	}
}
