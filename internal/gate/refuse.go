package gate

import (
	"context"
	"fmt"
	"hash/maphash"
	"math/bits"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// diagnose asks the dialect of a refused login what went wrong.
func (g *Gate) diagnose(ctx context.Context, a *applicant) *dialect.Diagnosis {
	switch {
	case a.asked:
	case tooLong(a):
		return &loginTooLong
	case !g.budget.left():
		return &loginNotExamined
	default:
		defer g.budget.spend(time.Now())
	}
	if a.foreign != nil && a.product == nil {
		return otherDialect(a)
	}
	d, mode := a.dialect, dialect.Lenient
	if d == nil { // no dialect could read it: the first one explains its form
		if len(g.Dialects) == 0 {
			return unexplained()
		}
		d = g.Dialects[0]
	}
	if a.product != nil {
		mode = Mode(a.product.Strictness)
	}
	if found := d.Diagnose(&a.login, secrets(a), known{ctx, g.Registry}, mode, g.Now()); found != nil {
		return found
	}
	return unexplained()
}

// known answers a dialect's question what exists.
type known struct {
	ctx context.Context
	r   *registry.Registry
}

func (k known) KnowsProduct(product string) bool {
	_, err := k.r.Product(k.ctx, product)
	return err == nil
}

func (k known) KnowsDevice(product, device string) bool {
	_, err := k.r.Device(k.ctx, registry.ID{Product: product, Device: device})
	return err == nil
}

// refuse writes a refusal down and turns it into the answer on the wire.
// Repetitions of the same mistake are counted; the timeline shows the 1st,
// 2nd, 4th, 8th and so on, and of a device that exists each other try at it.
func (g *Gate) refuse(_ context.Context, a *applicant, d *dialect.Diagnosis) error {
	a.claim.Product, a.claim.Device = clip(a.claim.Product), clip(a.claim.Device)
	d = clipped(d)
	answer := answerOf(d)
	addr := a.from.Remote.Addr().String()
	seen, said := &g.repeats, fingerprint(&a.login)
	exists := a.device != nil || a.abroad
	if !exists { // who invents names invents passwords, too
		seen, said = &g.strange, 0
	}
	n, show := seen.count(a.claim.Session()+"\x00"+d.Code+"\x00"+addr, said, g.Now())
	if exists {
		g.Registry.Refused(registry.ID{Product: a.claim.Product, Device: a.claim.Device}, registry.Refusal{
			At: g.Now(), Addr: a.from.Remote.String(), Code: d.Code, Field: d.Field,
			Sentence: d.Sentence, SentenceZH: d.SentenceZH, Advice: d.Advice, AdviceZH: d.AdviceZH,
			Expected: d.Expected, Received: d.Received, ReturnCode: returnCode(answer), Count: 1,
		})
	}
	if !show {
		return answer
	}
	e := trace.Entry{
		Product: a.claim.Product, Device: a.claim.Device, Kind: trace.Refuse, Direction: "up",
		Code: d.Code, Sentence: d.Sentence, SentenceZH: d.SentenceZH,
		Detail: refusalDetail{Diagnosis: d, Connect: connectDetail(a), Times: n},
	}
	if exists {
		g.Trace.Record(e)
	} else {
		g.Strangers.Record(e)
		// In the log all names that somebody invents are one mistake of his.
		if n, show = g.logged.count(d.Code+"\x00"+addr, 0, g.Now()); !show {
			return answer
		}
	}
	g.Log.Info("device refused", "product", a.claim.Product, "device", a.claim.Device, "from", a.from.Remote, "code", d.Code, "times", n)
	return answer
}

// A refusalDetail is what the timeline shows of a refused login.
type refusalDetail struct {
	*dialect.Diagnosis
	Connect any    `json:"connect"`
	Times   uint64 `json:"times"` // the same mistake in the last while, this one included
}

// connectDetail is what may be shown of a CONNECT: the password is not.
func connectDetail(a *applicant) any {
	return struct {
		ClientID       string `json:"clientId"`
		Username       string `json:"username"`
		PasswordLength int    `json:"passwordLength"`
		KeepAlive      uint16 `json:"keepAlive"`
		Version        string `json:"version"`
		CleanSession   bool   `json:"cleanSession"`
		Transport      string `json:"transport"`
		From           string `json:"from"`
	}{
		clip(a.login.ClientID), clip(a.login.Username), len(a.login.Password), a.login.KeepAlive,
		a.login.Version.String(), a.login.CleanSession, a.from.Transport, a.from.Remote.String(),
	}
}

// maxText is how many bytes are kept of a text that came from a stranger, who
// may send 64 KiB for a name.
const maxText = 512

// clip cuts off what is longer than maxText.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

// clipped is d with all its texts clipped.
func clipped(d *dialect.Diagnosis) *dialect.Diagnosis {
	c := *d
	texts := []*string{&c.Received, &c.Expected, &c.Sentence, &c.SentenceZH, &c.Advice, &c.AdviceZH, &c.StringToSign}
	if d.RightLogin != nil {
		right := *d.RightLogin
		c.RightLogin = &right
		texts = append(texts, &right.ClientID, &right.Username, &right.Password)
	}
	for _, s := range texts {
		*s = clip(*s)
	}
	return &c
}

func disabled(c dialect.Claim) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "device-disabled", Field: "device", Received: c.Session(), Expected: "an enabled device",
		Sentence:   fmt.Sprintf("device %s is disabled", c.Session()),
		SentenceZH: fmt.Sprintf("设备 %s 已被禁用", c.Session()),
		Advice:     "enable it: matou device enable " + c.Session(),
		AdviceZH:   "启用设备：matou device enable " + c.Session(),
	}
}

func unexplained() *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "login-not-understood", Field: "username", Expected: "a login of a known dialect",
		Sentence:   "the login fits none of the dialects spoken here",
		SentenceZH: "该登录信息不符合这里支持的任何一种协议",
		Advice:     "copy the credentials from the device's page", AdviceZH: "请从设备页面复制登录参数",
	}
}

func openNote(d *dialect.Diagnosis) dialect.Note {
	return dialect.Note{
		Code:       d.Code,
		Sentence:   "admitted because the product is open; otherwise refused: " + d.Sentence,
		SentenceZH: "产品为开放模式，因此放行；否则会被拒绝：" + d.SentenceZH,
	}
}

// repeats counts how often the same identity made the same mistake. It is
// bounded: at maxRepeats different mistakes, or after repeatWindow, it starts
// anew, and the next refusal of each is shown again.
type repeats struct {
	mu    sync.Mutex
	since time.Time
	seen  map[string]repeat
}

// A repeat is one mistake of one identity.
type repeat struct {
	times uint64
	said  uint64    // the fingerprint of the try that was shown last
	shown time.Time // when
}

const (
	maxRepeats   = 4096
	repeatWindow = 10 * time.Minute
	// anotherTry is how long a try that differs is kept back behind one that was
	// shown: a person takes longer, a device that signs the time anew does not.
	anotherTry = 5 * time.Second
)

// count says how often the mistake was made, and whether to show it: at each
// doubling, and where what was said is not what was shown last.
func (r *repeats) count(key string, said uint64, now time.Time) (times uint64, show bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil || len(r.seen) >= maxRepeats || now.Sub(r.since) > repeatWindow {
		r.seen, r.since = make(map[string]repeat), now
	}
	one := r.seen[key]
	one.times++
	show = bits.OnesCount64(one.times) == 1 || said != one.said && now.Sub(one.shown) >= anotherTry
	if show {
		one.said, one.shown = said, now
	}
	r.seen[key] = one
	return one.times, show
}

// logins is the seed of fingerprints.
var logins = maphash.MakeSeed()

// fingerprint tells one login from another.
func fingerprint(l *dialect.Login) uint64 {
	var h maphash.Hash
	h.SetSeed(logins)
	for _, part := range []string{l.ClientID, l.Username, string(l.Password)} {
		h.WriteString(part)
		h.WriteByte(0)
	}
	return h.Sum64()
}

func causeZH(why broker.Cause) string {
	if zh := causesZH[why]; zh != "" {
		return zh
	}
	return why.String()
}
