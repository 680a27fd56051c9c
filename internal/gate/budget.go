package gate

import (
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
)

// What looking for the mistake in refused logins may cost. A wrong signature is
// compared with hundreds of others, half a millisecond of work, and a stranger
// decides how often and on how many bytes.
const (
	maxDiagnosed  = 4 << 10     // bytes of identifier, name and password; what is longer is told only that
	diagnoseBurst = time.Second // of work at once
	diagnoseShare = 10          // percent of one processor in the long run
)

// A budget is the time that is left for diagnoses. Nobody who is let in uses
// any of it.
type budget struct {
	mu   sync.Mutex
	used time.Duration // of diagnoseBurst
	at   time.Time
}

// left reports whether there is any time left.
func (b *budget) left() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.used = max(0, b.used-now.Sub(b.at)*diagnoseShare/100)
	b.at = now
	return b.used < diagnoseBurst
}

// spend takes note of work that began at start.
func (b *budget) spend(start time.Time) {
	took := time.Since(start)
	b.mu.Lock()
	b.used += took
	b.mu.Unlock()
}

func tooLong(a *applicant) bool {
	return len(a.login.ClientID)+len(a.login.Username)+len(a.login.Password) > maxDiagnosed
}

// unexamined are the diagnoses of those that are not looked into.
var (
	loginTooLong = dialect.Diagnosis{
		Code: "login-too-long", Field: "clientId", Expected: "client identifier, user name and password of 4,096 bytes at the most together",
		Sentence:   "the login is wrong, and longer than any that is right",
		SentenceZH: "登录信息有误，且长度超过任何正确的登录信息",
		Advice:     "look at the bytes that are sent: a text without its end, or another buffer", AdviceZH: "请检查实际发送的字节：字符串可能缺少结束符，或用错了缓冲区",
	}
	loginNotExamined = dialect.Diagnosis{
		Code: "login-not-examined", Field: "password", Expected: "a right login",
		Sentence:   "the login is wrong; why was not looked into, because so many are refused now",
		SentenceZH: "登录信息有误；当前被拒绝的登录过多，未分析具体原因",
		Advice:     "try again in a minute, or ask: matou doctor", AdviceZH: "请一分钟后重试，或使用 matou doctor 分析",
	}
)
