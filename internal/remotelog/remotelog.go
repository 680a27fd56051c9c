// Package remotelog is the log that a device keeps of itself and posts: which
// devices shall do so, and the lines, which go to the device's timeline
// [aliyun-device §4.15]. Nothing of them is on disk: a timeline is bounded and
// forgets the oldest.
package remotelog

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// MaxContent is how many bytes of a line's content are kept.
const MaxContent = 1 << 10

// MaxLines is how many lines of one message the timeline takes: it holds few
// hundred entries of a device, and the rest of what happened shall be among
// them.
const MaxLines = 50

// A Teller says something to a device: package command.
type Teller interface {
	Push(ctx context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error)
}

// Options are what a Service needs.
type Options struct {
	Registry *registry.Registry
	Dialects dialect.Set
	Teller   Teller
	Trace    *trace.Recorder
	Log      *slog.Logger
	Now      func() time.Time
}

// A Service takes devices' logs. Any number of goroutines may use it at once.
type Service struct {
	Options
	last atomic.Int64 // id of the last message
}

// New makes a Service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{Options: o}
	s.last.Store(o.Now().UnixMilli())
	return s
}

// Mode tells a device whether to post its log.
func (s *Service) Mode(ctx context.Context, r *dialect.LogGet) (dialect.LogMode, error) {
	d, err := s.Registry.Device(ctx, registry.ID{Product: r.Claim.Product, Device: r.Claim.Device})
	if err != nil {
		return dialect.LogMode{}, err
	}
	return dialect.LogMode{On: d.RemoteLog}, nil
}

// Take writes lines into the device's timeline, whether it was told to post
// them or not.
func (s *Service) Take(_ context.Context, r *dialect.LogPost) (dialect.Done, error) {
	for i, l := range r.Lines {
		if i == MaxLines {
			break
		}
		l.Level, l.Module, l.Code, l.Trace, l.Content = cut(l.Level, 32), cut(l.Module, 64), cut(l.Code, 64), cut(l.Trace, 128), cut(l.Content, MaxContent)
		sentence := l.Content
		if l.Module != "" {
			sentence = l.Module + ": " + sentence
		}
		sentence = strings.TrimSpace(l.Level + " " + sentence)
		s.Trace.Record(trace.Entry{
			Product: r.Claim.Product, Device: r.Claim.Device, Kind: trace.Note, Direction: "up", Code: "device-log",
			Sentence: sentence, SentenceZH: sentence, Detail: l,
		})
	}
	if more := max(len(r.Lines)-MaxLines, 0) + r.More; more > 0 {
		s.Trace.Record(trace.Entry{
			Product: r.Claim.Product, Device: r.Claim.Device, Kind: trace.Note, Code: "device-log-cut",
			Sentence:   fmt.Sprintf("%d more log lines of this message are not kept; the bound is %d", more, MaxLines),
			SentenceZH: fmt.Sprintf("该消息中另有 %d 行日志未保存，上限为 %d 行", more, MaxLines),
		})
	}
	return dialect.Done{}, nil
}

// cut shortens a text to most bytes, between characters.
func cut(s string, most int) string {
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// Switch says whether a device shall post its log, and tells it; one that is
// away asks when it comes back. told is what became of that.
func (s *Service) Switch(ctx context.Context, id registry.ID, on bool) (told string, err error) {
	p, err := s.Registry.Product(ctx, id.Product)
	if err != nil {
		return "", err
	}
	speaks, _ := s.Dialects.ByName(p.Dialect)
	teller, ok := speaks.(dialect.LogTeller)
	if !ok {
		return "", fault.Invalid("devices of the dialect %s have no remote log", p.Dialect)
	}
	_, err = s.Registry.UpdateDevice(ctx, id, func(d *registry.Device) error {
		d.RemoteLog = on
		return nil
	})
	if err != nil {
		return "", err
	}
	message := strconv.FormatInt(s.last.Add(1), 10)
	outcome, err := s.Teller.Push(ctx, id, func(_ dialect.Dialect, c dialect.Claim) []dialect.Downlink {
		return teller.TellLog(c, message, dialect.LogMode{On: on})
	})
	if err != nil {
		return fault.Sentence(err), nil // it is kept: the device asks
	}
	return outcome.String(), nil
}
