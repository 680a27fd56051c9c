package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/refusal"
	"github.com/matou-iot/matou/internal/replay"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/onenet"
)

// A verdict is why a broker refused a login, as far as that can be known.
type verdict struct {
	By         string `json:"by"` // "matou": the server that knows the device; "bytes": from the packet alone
	Code       string `json:"code,omitempty"`
	Field      string `json:"field,omitempty"`
	Sentence   string `json:"sentence"`
	SentenceZH string `json:"sentenceZh"`
	Advice     string `json:"advice,omitempty"`
	AdviceZH   string `json:"adviceZh,omitempty"`
	Page       string `json:"page,omitempty"`
}

// tell writes the verdict behind a margin.
func (v *verdict) tell(w io.Writer, margin string, chinese bool) {
	sentence, advice := v.Sentence, v.Advice
	if chinese {
		sentence, advice = v.SentenceZH, v.AdviceZH
	}
	for _, s := range []string{sentence, advice} {
		if s != "" {
			fmt.Fprintln(w, margin+visible(s))
		}
	}
	if v.Code != "" {
		fmt.Fprintf(w, "%s(%s", margin, v.Code)
		if v.Page != "" {
			fmt.Fprintf(w, ", %s", v.Page)
		}
		fmt.Fprintln(w, ")")
	}
}

// askPatience is how long the server may take to judge a login: the refusal
// itself is already on the screen.
const askPatience = 3 * time.Second

// judge says why a login was refused. r is the Matou that refused it, nil
// where another broker did: then only the packet speaks.
func judge(ctx context.Context, r *rest, sent []byte, c *packet.Connect, tls bool) *verdict {
	if r != nil {
		if v := askDoctor(ctx, r, sent, tls); v != nil {
			return v
		}
	}
	return judgeBytes(c, tls, time.Now())
}

// askDoctor is nil where the server cannot say: it does not run, it lets us in
// no further, or it would have let the device in.
func askDoctor(ctx context.Context, r *rest, sent []byte, tls bool) *verdict {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	in := map[string]any{"hex": hex.EncodeToString(sent), "tls": tls}
	var out struct {
		OK        bool
		Diagnosis *verdict
		Page      string
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil
	}
	resp, err := r.send(ctx, question{method: "POST", path: at("doctor"), body: body, content: jsonContent, accept: jsonContent})
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	if json.NewDecoder(io.LimitReader(resp.Body, maxRefusal)).Decode(&out) != nil || out.OK || out.Diagnosis == nil {
		return nil
	}
	v := out.Diagnosis
	v.By, v.Page = "matou", out.Page
	return v
}

// judgeBytes finds what shows without the device's secret.
func judgeBytes(c *packet.Connect, tls bool, now time.Time) *verdict {
	unseen := verdict{
		By:         "bytes",
		Sentence:   "the form of this login is right: whether product and device exist there and whether the secret is theirs does not show in the bytes",
		SentenceZH: "这个登录的格式没有错：对方平台上有没有这个产品和设备、密钥对不对，从报文本身看不出来",
	}
	switch replay.IdentityOf(c).Vendor {
	case replay.Aliyun:
		unseen.Advice, unseen.AdviceZH = "`matou doctor aliyun --device-secret …` finds the mistake with the secret", "用 `matou doctor aliyun --device-secret …` 带上密钥即可找出错误"
		d := aliyun.Diagnose(aliyun.Sent{
			ClientID: c.ClientID, Username: c.Username, Password: c.Password, KeepAlive: c.KeepAlive, TLS: tls, Version: c.Version,
		}, aliyun.Known{})
		if d != nil && d.Code != "aliyun-wrong-secret" {
			return &verdict{"bytes", d.Code, d.Field, d.Sentence, d.SentenceZH, d.Advice, d.AdviceZH, refusal.Path(d.Code)}
		}
	case replay.OneNET:
		unseen.Advice, unseen.AdviceZH = "`matou doctor onenet --key …` finds the mistake with the key", "用 `matou doctor onenet --key …` 带上密钥即可找出错误"
		sent := onenet.Sent{
			ClientID: c.ClientID, Username: c.Username, Password: c.Password, KeepAlive: c.KeepAlive,
			CleanSession: c.CleanStart, Will: c.Will != nil, TLS: tls, Version: c.Version,
		}
		d := onenet.Diagnose(sent, onenet.Known{}, now)
		if d == nil || d.Code == "onenet-wrong-key" {
			if hints := onenet.Hints(sent, now); len(hints) > 0 {
				d = hints[0]
			}
		}
		if d != nil && d.Code != "onenet-wrong-key" {
			return &verdict{"bytes", d.Code, d.Field, d.Sentence, d.SentenceZH, d.Advice, d.AdviceZH, refusal.Path(d.Code)}
		}
	default:
		unseen.Sentence = "a plain login: the broker compares client id, user name and password with what it has"
		unseen.SentenceZH = "普通登录：服务器把 clientId、username、password 与它自己保存的比较"
	}
	return &unseen
}
