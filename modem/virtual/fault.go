package virtual

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Fault is something that goes wrong on demand.
type Fault struct {
	Name  string
	Value string        // how badly, for those that have degrees
	After time.Duration // begins so long after it was set, in the module's time
	Times int           // strikes so often and is over; 0: until it is cleared
}

// A Mistake is why a fault cannot be, in both languages.
type Mistake struct{ en, zh string }

func (m *Mistake) Error() string { return m.en }

// SentenceZH is Error in Chinese.
func (m *Mistake) SentenceZH() string { return m.zh }

// ParseFault reads NAME[=VALUE][*TIMES][@AFTER]: dns-failure,
// lost-bytes=0.01, link-lost*1, reset@30s.
func ParseFault(text string) (Fault, error) {
	rest, after, delayed := strings.Cut(text, "@")
	rest, times, counted := strings.Cut(rest, "*")
	f := Fault{}
	f.Name, f.Value, _ = strings.Cut(rest, "=")
	if f.Name == "" {
		return f, &Mistake{
			fmt.Sprintf("fault %q names no fault: write NAME[=VALUE][*TIMES][@AFTER], such as dns-failure*1@30s", text),
			fmt.Sprintf("故障 %q 没有名称：请写成 名称[=值][*次数][@时间]，例如 dns-failure*1@30s", text),
		}
	}
	var err error
	if delayed {
		if f.After, err = time.ParseDuration(after); err != nil || f.After < 0 {
			return f, &Mistake{fmt.Sprintf("fault %q: %q after @ is no time such as 30s", text, after), fmt.Sprintf("故障 %q：@ 后的 %q 不是时间，例如 30s", text, after)}
		}
	}
	if counted {
		if f.Times, err = strconv.Atoi(times); err != nil || f.Times < 1 {
			return f, &Mistake{fmt.Sprintf("fault %q: %q after * is no number of times from 1", text, times), fmt.Sprintf("故障 %q：* 后的 %q 不是从 1 开始的次数", text, times)}
		}
	}
	return f, nil
}

// String is the fault as ParseFault reads it.
func (f Fault) String() string {
	s := f.Name
	if f.Value != "" {
		s += "=" + f.Value
	}
	if f.Times > 0 {
		s += fmt.Sprintf("*%d", f.Times)
	}
	if f.After > 0 {
		s += "@" + f.After.String()
	}
	return s
}

// A FaultKind is a fault that a model knows.
type FaultKind struct {
	Name    string
	Help    string
	HelpZH  string
	Default string                      // of the value; empty: it has none
	check   func(value string) *Mistake // nil: it has none
}

// The names of the faults that every model knows.
const (
	faultSlowUART  = "slow-uart"
	faultWrongBaud = "wrong-baud"
	faultLostBytes = "lost-bytes"
	faultReset     = "reset"
	faultDNS       = "dns-failure"
	faultRefused   = "connect-refused"
	faultLinkLost  = "link-lost"
	faultSendLost  = "link-lost-mid-send"
	faultNoTime    = "time-not-set"
	faultNoSignal  = "no-signal"
)

// commonFaults are those of the UART, the power and the network.
var commonFaults = []FaultKind{
	{faultSlowUART, "the line is as slow as VALUE baud", "串口慢到 VALUE 波特", "1200", checkBaud},
	{faultWrongBaud, "the module is at VALUE baud: a host at another speed reads noise, and so does the module; the speed of a pseudo-terminal counts (Linux), a TCP port is at another one", "模块使用 VALUE 波特率,波特率不同时双方收到的都是乱码;伪终端按其设置的波特率(Linux),TCP 端口总是不同", "9600", checkBaud},
	{faultLostBytes, "a share VALUE of all bytes is lost, both ways", "两个方向的字节按 VALUE 的比例丢失", "0.01", checkShare},
	{faultReset, "the module restarts by itself, every VALUE if given", "模块自己重启;给出 VALUE 时每隔 VALUE 一次", "", checkSpan},
	{faultNoSignal, "no network in reach", "没有信号", "", nil},
	{faultDNS, "no host name is found", "域名解析失败", "", nil},
	{faultRefused, "every connection is refused", "所有连接被拒绝", "", nil},
	{faultLinkLost, "all connections are lost, once", "所有连接断开一次", "", nil},
	{faultSendLost, "the connection is lost while data is sent", "发送途中连接断开", "", nil},
	{faultNoTime, "no time server answers", "时间服务器没有应答", "", nil},
}

func checkBaud(v string) *Mistake {
	if n, err := strconv.Atoi(v); err != nil || n < 50 || n > 5_000_000 {
		return &Mistake{fmt.Sprintf("%q is no baud rate from 50 to 5000000", v), fmt.Sprintf("%q 不是 50 到 5000000 之间的波特率", v)}
	}
	return nil
}

func checkShare(v string) *Mistake {
	if x, err := strconv.ParseFloat(v, 64); err != nil || !(x > 0 && x <= 1) {
		return &Mistake{fmt.Sprintf("%q is no share above 0 and up to 1, such as 0.01", v), fmt.Sprintf("%q 不是大于 0 且不超过 1 的比例，例如 0.01", v)}
	}
	return nil
}

func checkSpan(v string) *Mistake {
	if v == "" {
		return nil
	}
	if d, err := time.ParseDuration(v); err != nil || d <= 0 {
		return &Mistake{fmt.Sprintf("%q is no time such as 30s", v), fmt.Sprintf("%q 不是时间，例如 30s", v)}
	}
	return nil
}

// checkFault completes a fault of the model, or says what is wrong with it.
func (d *Model) checkFault(f *Fault) error {
	i := slices.IndexFunc(d.Faults, func(k FaultKind) bool { return k.Name == f.Name })
	if i < 0 {
		var names []string
		for _, k := range d.Faults {
			names = append(names, k.Name)
		}
		return &Mistake{
			fmt.Sprintf("fault %q is not known to %s: there are %s", f.Name, d.Name, strings.Join(names, ", ")),
			fmt.Sprintf("%s 没有故障 %q：可用的有 %s", d.Name, f.Name, strings.Join(names, "、")),
		}
	}
	k := d.Faults[i]
	f.Value = cmp.Or(f.Value, k.Default)
	if k.check == nil {
		if f.Value != "" {
			return &Mistake{fmt.Sprintf("fault %s takes no value", f.Name), fmt.Sprintf("故障 %s 不带值", f.Name)}
		}
		return nil
	}
	if wrong := k.check(f.Value); wrong != nil {
		return &Mistake{"fault " + f.Name + ": " + wrong.en, "故障 " + f.Name + "：" + wrong.zh}
	}
	return nil
}

// SetQuirk gives the module a quirk or takes it away, as if it were another
// unit of its model. What a quirk does at the start it does from the next
// reset, what it does to a client of MQTT from the next one.
func (m *Module) SetQuirk(name string, on bool) error {
	if _, err := m.model.quirkSet([]string{name}); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if on {
		m.quirks[name] = true
	} else {
		delete(m.quirks, name)
	}
	return nil
}

// SetFault begins a fault, now or after its time, or changes its value.
func (m *Module) SetFault(f Fault) error {
	if err := m.model.checkFault(&f); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life == nil {
		return &Mistake{fmt.Sprintf("fault %s: the module is not running", f.Name), fmt.Sprintf("故障 %s：模块没有运行", f.Name)}
	}
	m.setFault(f)
	return nil
}

// setFault begins a fault that was checked. What waits for its time outlives
// resets.
func (m *Module) setFault(f Fault) {
	if f.After == 0 {
		m.begin(f)
		return
	}
	base := m.life.base
	m.tasks.Go(func() {
		t := time.NewTimer(m.scale(f.After))
		defer t.Stop()
		select {
		case <-t.C:
		case <-base.Done():
			return
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if base.Err() == nil {
			f.After = 0
			m.begin(f)
		}
	})
}

// begin puts a fault in force.
func (m *Module) begin(f Fault) {
	m.observe(Event{Kind: Faulted, Link: -1, Text: f.String() + " begins", TextZH: f.String() + " 开始"})
	switch f.Name {
	case faultReset:
		m.reset()
		if f.Value != "" {
			f.After, _ = time.ParseDuration(f.Value)
			if f.Times != 1 {
				f.Times = max(0, f.Times-1)
				m.setFault(f)
			}
		}
		return
	case faultLinkLost:
		m.self.faulted(m.life, f.Name)
		return
	}
	m.faults[f.Name] = f
	m.harm()
	m.self.faulted(m.life, f.Name)
	m.changed.Broadcast()
}

// ClearFault ends a fault. One that is not in force is no error.
func (m *Module) ClearFault(name string) error {
	if err := m.model.checkFault(&Fault{Name: name}); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clear(name)
	return nil
}

func (m *Module) clear(name string) {
	if _, ok := m.faults[name]; !ok {
		return
	}
	delete(m.faults, name)
	m.observe(Event{Kind: Faulted, Link: -1, Text: name + " ends", TextZH: name + " 结束"})
	m.harm()
	if m.life != nil {
		m.self.faulted(m.life, name)
	}
	m.changed.Broadcast()
}

// harm brings the faults of the line into force.
func (m *Module) harm() {
	slow, _ := strconv.Atoi(m.faults[faultSlowUART].Value)
	wrong, _ := strconv.Atoi(m.faults[faultWrongBaud].Value)
	lossy, _ := strconv.ParseFloat(m.faults[faultLostBytes].Value, 64)
	m.uart.harm(slow, wrong, lossy)
}

// Faults are those in force, by name.
func (m *Module) Faults() []Fault {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Fault
	for _, f := range m.faults {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b Fault) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// fault reports whether a fault is in force, without striking.
func (m *Module) fault(name string) bool { _, ok := m.faults[name]; return ok }

// strikes reports whether a fault is in force, and counts it: a fault with
// Times ends by it. The lock is held.
func (m *Module) strikes(name string) bool {
	f, ok := m.faults[name]
	if !ok {
		return false
	}
	m.observe(Event{Kind: Faulted, Link: -1, Text: name + " strikes", TextZH: name + " 发生"})
	if f.Times == 1 {
		m.clear(name)
	} else if f.Times > 1 {
		f.Times--
		m.faults[name] = f
	}
	return true
}
