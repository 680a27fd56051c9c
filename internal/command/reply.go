package command

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/trace"
)

// Reply takes a device's answer. It is matched by id; an answer with an id
// that nobody used goes to the newest command of its kind that is still open,
// for devices that do not echo the id [aliyun-device §5.4].
func (s *Service) Reply(_ context.Context, who dialect.Claim, r dialect.Reply, invoke bool) {
	kind := Set
	if invoke {
		kind = Invoke
	}
	s.mu.Lock()
	p := s.match(who, r, kind)
	if p != nil {
		who = dialect.Claim{Product: p.Product, Device: p.Device} // a gateway answers for its sub-devices
	}
	if p == nil {
		s.mu.Unlock()
		s.Trace.Record(trace.Entry{
			Product: who.Product, Device: who.Device, Kind: trace.Note, Code: "reply-unmatched",
			Sentence:   "the reply answers no open command: it came too late, twice, or with another id",
			SentenceZH: "该应答没有对应的待处理命令：可能超时、重复或 id 不符",
		})
		return
	}
	p.State, p.Code, p.Message, p.Output = Acknowledged, r.Code, r.Message, r.Data
	if !r.OK {
		p.State = Failed
	}
	done := s.finish(nil, who, p)
	s.mu.Unlock()
	s.announce(done...)
}

// Reported takes the values of a property report: a set whose properties are
// all among them counts as obeyed where the device never answers sets.
func (s *Service) Reported(_ context.Context, who dialect.Claim, report []dialect.Reading) {
	s.mu.Lock()
	var done []Command
	if open := s.pending[who]; len(open) > 0 {
		now := s.Now()
		for _, p := range slices.Clone(open) {
			if p.Kind == Set && now.Sub(p.SentAt) <= ReportWindow && covers(report, p.sets) {
				p.State, p.Code, p.Message = Acknowledged, 200, byReport
				done = s.finish(done, who, p)
			}
		}
	}
	s.mu.Unlock()
	s.announce(done...)
}

func covers(report []dialect.Reading, sets []string) bool {
	for _, id := range sets {
		if !slices.ContainsFunc(report, func(r dialect.Reading) bool { return r.Property == id }) {
			return false
		}
	}
	return true
}

// Run lets commands time out until ctx is done.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.expire(s.Now())
		}
	}
}

func (s *Service) expire(now time.Time) {
	s.mu.Lock()
	var done []Command
	for who, open := range s.pending {
		for _, p := range slices.Clone(open) {
			if now.After(p.deadline) {
				p.State, p.Message = TimedOut, noAnswer+p.patience.String()
				s.late.add(who, p.ID)
				done = s.finish(done, who, p)
			}
		}
	}
	s.mu.Unlock()
	s.announce(done...)
}

// match finds the open command that a reply answers. An id that was given out
// names its command and no other: late and repeated answers find none. s.mu is
// held.
func (s *Service) match(who dialect.Claim, r dialect.Reply, kind Kind) *pending {
	if r.Relayed {
		if p := s.relayed[r.ID]; p != nil && p.via == who {
			return p
		}
		return nil
	}
	var newest *pending
	for _, p := range s.pending[who] {
		if p.ID == r.ID {
			return p
		}
		if p.Kind == kind && (kind == Set || p.Service == r.Service) {
			newest = p
		}
	}
	if r.ByID || s.ours(r.ID) {
		return nil
	}
	return newest
}

// finish makes a command final, wakes who waits, and appends it to those to
// announce, unless begun will do that. s.mu is held.
func (s *Service) finish(done []Command, who dialect.Claim, p *pending) []Command {
	p.DoneAt = s.Now()
	s.remove(who, p)
	close(p.done)
	if !p.recorded {
		return done
	}
	return append(done, p.Command)
}

func (s *Service) remove(who dialect.Claim, p *pending) {
	i := slices.Index(s.pending[who], p)
	if i < 0 {
		return
	}
	s.count--
	delete(s.relayed, p.ID)
	left := slices.Delete(s.pending[who], i, i+1)
	if len(left) == 0 {
		delete(s.pending, who)
		return
	}
	s.pending[who] = left
}

// announce records the ends of commands. Nobody waits for them to be durable:
// the reply itself was an uplink of the device and may be sent again.
func (s *Service) announce(done ...Command) {
	for _, c := range done {
		b := c.brief()
		entry := s.Trace.Record(trace.Entry{
			Product: c.Product, Device: c.Device, Kind: trace.Note, Code: "command-" + string(c.State),
			Sentence:   "command " + c.ID + ": " + string(c.State) + " " + b.Message,
			SentenceZH: "命令 " + c.ID + "：" + statesZH[c.State] + " " + messageZH(b.Message),
			Detail:     b,
		})
		s.keep(record.CommandDone, &c, entry)
	}
}

// What is said of a command where the device says nothing itself.
const (
	byReport   = "reported by the device"
	noAnswer   = "the device did not answer within "
	unreadable = "the device's answer cannot be read"
)

// messageZH is that in Chinese; the device's own words stay as they are.
func messageZH(message string) string {
	switch patience, silent := strings.CutPrefix(message, noAnswer); {
	case silent:
		return "设备在 " + patience + " 内没有应答"
	case message == byReport:
		return "设备已上报该值"
	case message == unreadable:
		return "设备的应答无法解析"
	}
	return message
}

var statesZH = map[State]string{
	Queued: "已排队", Delivered: "已送达", Acknowledged: "已确认", Failed: "失败", TimedOut: "超时",
}
