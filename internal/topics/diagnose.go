package topics

import "strings"

// A Mistake is why a topic may not be used, in the words for people.
type Mistake struct {
	Code, Received, Expected string
	Sentence, SentenceZH     string
	Advice, AdviceZH         string
}

// Explain says what is wrong with a topic of which the verdict is not Declared.
func Explain(v Verdict, want Permission, product, path string) Mistake {
	word, wordZH := "publish on", "发布"
	if want == Subscribe {
		word, wordZH = "subscribe to", "订阅"
	}
	m := Mistake{Code: "topic-undeclared", Received: path, Expected: "a topic that product " + product + " has declared",
		Sentence: "the product has not declared the custom topic " + path, SentenceZH: "产品没有声明自定义主题 " + path,
		Advice: "declare it: matou product topic add " + product + " " + path + " " + want.String(), AdviceZH: "请声明该主题：matou product topic add " + product + " " + path + " " + want.String()}
	if v == NotPermitted {
		m.Code, m.Expected = "topic-not-permitted", "a topic with the permission "+want.String()+" or both"
		m.Sentence = "the product's devices may not " + word + " the custom topic " + path
		m.SentenceZH = "该产品的设备无权" + wordZH + "自定义主题 " + path
		m.Advice = strings.Replace(m.Advice, "declare it", "change its permission", 1)
		m.AdviceZH = strings.Replace(m.AdviceZH, "请声明该主题", "请修改其权限", 1)
	}
	return m
}
