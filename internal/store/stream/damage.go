package stream

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// reportLoss says which batches a damaged file took: the server keeps what is
// whole and passes over the rest.
func (r *running) reportLoss(dir string, log *slog.Logger) {
	report, err := r.server.Jsz(&server.JSzOptions{Accounts: true, Streams: true})
	if err != nil {
		log.Warn("the feed's state cannot be looked at", "error", err)
		return
	}
	for _, account := range report.AccountDetails {
		for _, s := range account.Streams {
			if lost := s.State.Lost; s.Name == streamName && lost != nil && len(lost.Msgs) > 0 {
				log.Error("the feed's files are damaged: batches in them are lost, the others are kept",
					"dir", dir, "batches", len(lost.Msgs), "first", slices.Min(lost.Msgs), "last", slices.Max(lost.Msgs), "bytes", lost.Bytes)
			}
		}
	}
}

// Last is the sequence of the newest batch, 0 where none was ever kept.
func (l *Log) Last(ctx context.Context) (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.running == nil {
		return 0, errDown
	}
	info, err := l.running.stream.Info(ctx)
	if err != nil {
		return 0, err
	}
	return info.State.LastSeq, nil
}

// voice lets the server's warnings and errors through and drops its daily news.
type voice struct{ log *slog.Logger }

func (voice) Noticef(string, ...any)           {}
func (voice) Debugf(string, ...any)            {}
func (voice) Tracef(string, ...any)            {}
func (v voice) Fatalf(format string, a ...any) { v.Errorf(format, a...) }
func (v voice) Errorf(format string, a ...any) { v.log.Error("feed: " + fmt.Sprintf(format, a...)) }
func (v voice) Warnf(format string, a ...any) {
	text := fmt.Sprintf(format, a...)
	if strings.Contains(text, "Filestore") { // what it says of its files; the rest is advice to run a cluster
		v.log.Warn("feed: " + text)
	}
}
