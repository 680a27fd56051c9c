package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/access"
)

// A told is what a caller gets to read.
type told struct {
	status   int
	language string
	vary     string
	Detail   string
	Errors   []struct{ Location, Message string }
}

// refused sends a request in a language and reads why it was refused.
func (h *house) refused(method, path, language, body string) told {
	h.Helper()
	r, err := http.NewRequest(method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.tokens[access.Administrator])
	r.Header.Set("Content-Type", "application/json")
	if language != "" {
		r.Header.Set("Accept-Language", language)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer resp.Body.Close()
	why := told{status: resp.StatusCode, language: resp.Header.Get("Content-Language"), vary: resp.Header.Get("Vary")}
	if err := json.NewDecoder(resp.Body).Decode(&why); err != nil {
		h.Fatalf("%s %s: %d %v", method, path, resp.StatusCode, err)
	}
	return why
}

func TestRefusalsAreToldInTheCallersLanguage(t *testing.T) {
	h := newHouse(t)
	const english, chinese = `there is no product "none"`, `产品 "none" 不存在`
	for _, tt := range []struct{ name, header, language, want string }{
		{"nothing asked", "", "en", english},
		{"Chinese", "zh", "zh", chinese},
		{"English", "en", "en", english},
		{"one that is not spoken here", "fr", "en", english},
		{"not spoken, then Chinese", "fr,zh;q=0.5", "zh", chinese},
		{"a browser in China", "zh-CN,zh;q=0.9,en;q=0.8", "zh", chinese},
		{"a browser that prefers English", "en-GB,en;q=0.9,zh-CN;q=0.8", "en", english},
		{"weights out of order", "en;q=0.1, zh-TW;q=0.2", "zh", chinese},
		{"Chinese is not wanted", "zh;q=0", "en", english},
		{"in capitals", "ZH-hans-cn ; Q=1", "zh", chinese},
		{"anything", "*", "en", english},
		{"no weights", "zh;q=much,zh;q=-1,zh;q=NaN,zh;level=1", "en", english},
		{"junk", ";;,,=q;zh\"=", "en", english},
		{"100 KB of junk", strings.Repeat("x-y;q=0.1,", 10_000) + "zh", "en", english},
		{"100 KB in one", strings.Repeat("z", 100_000), "en", english},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := h.refused("GET", "/api/v1/products/none", tt.header, "")
			if got.status != 404 || got.language != tt.language || got.Detail != tt.want || got.vary != "Accept-Language" {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestEveryPartOfARefusalIsChinese: fields, rows, what huma finds by itself,
// what is refused before a handler, and paths that no route has.
func TestEveryPartOfARefusalIsChinese(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct{ name, method, path, body, detail, location, message string }{
		{"a field", "POST", "/products", `{"key":"bad key!","dialect":"aliyun"}`,
			`ProductKey "bad key!" 不合法：最多 64 个字符，只能包含字母、数字和 - _ .`, "body.key", `ProductKey "bad key!" 不合法：最多 64 个字符，只能包含字母、数字和 - _ .`},
		{"a field is missing", "POST", "/products", `{}`, "请求参数校验失败", "body", "缺少必填字段 dialect"},
		{"a type", "POST", "/products", `{"key":5,"dialect":"aliyun"}`, "请求参数校验失败", "body.key", "应为字符串"},
		{"a parameter", "GET", "/products?limit=x", "", "请求参数校验失败", "query.limit", "应为整数"},
		{"no body", "POST", "/products", "", "缺少请求体", "", ""},
		{"no route", "GET", "/nowhere", "", "没有接口 GET /api/v1/nowhere，全部接口见 /api/docs", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := h.refused(tt.method, "/api/v1"+tt.path, "zh", tt.body)
			if got.status < 400 || got.language != "zh" || got.Detail != tt.detail {
				t.Fatalf("%+v", got)
			}
			if tt.location == "" {
				return
			}
			for _, e := range got.Errors {
				if e.Location == tt.location && e.Message == tt.message {
					return
				}
			}
			t.Errorf("nothing says %q of %s: %+v", tt.message, tt.location, got.Errors)
		})
	}
}

// TestRefusedAtTheDoorInChinese: who does not say who he is reads why all the same.
func TestRefusedAtTheDoorInChinese(t *testing.T) {
	h := newHouse(t)
	h.tokens[access.Administrator] = "wrong"
	if got := h.refused("GET", "/api/v1/products", "zh", ""); got.status != 401 || !strings.HasPrefix(got.Detail, "请先登录") || got.language != "zh" {
		t.Errorf("%+v", got)
	}
}

// TestTheAuditLogHasBoth: it is one for all who read it.
func TestTheAuditLogHasBoth(t *testing.T) {
	h := newHouse(t)
	h.refused("POST", "/api/v1/products", "zh", `{"key":"bad key!","dialect":"aliyun"}`)
	log := h.entries("")
	if len(log) != 1 || !strings.HasPrefix(log[0]["detail"].(string), `product key "bad key!"`) || !strings.HasPrefix(log[0]["detailZh"].(string), `ProductKey "bad key!" 不合法`) {
		t.Errorf("%v", log)
	}
}
