package topics

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/mqtt"
)

// memory is a Store of the product "p".
type memory struct{ m map[string]Class }

func (m *memory) TopicClasses(context.Context, string) (all []Class, err error) {
	for _, c := range m.m {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Class) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

func (m *memory) SaveTopicClass(_ context.Context, c *Class) error {
	if c.Product != "p" {
		return ErrNotFound
	}
	m.m[c.Path] = *c
	return nil
}

func (m *memory) DeleteTopicClass(_ context.Context, _, path string) error {
	if _, ok := m.m[path]; !ok {
		return ErrNotFound
	}
	delete(m.m, path)
	return nil
}

func newTopics() *Topics { return New(&memory{make(map[string]Class)}, nil) }

func TestVerdicts(t *testing.T) {
	s, ctx := newTopics(), t.Context()
	for _, c := range []Class{
		{Path: "user/alarm", Permission: Publish}, {Path: "/user/cmd/+", Permission: Subscribe}, {Path: "user/all/#", Permission: Subscribe},
		{Path: "user/talk", Permission: Both},
	} {
		c.Product = "p"
		if _, err := s.Declare(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		path               string
		publish, subscribe Verdict
	}{
		{"user/update", Declared, NotPermitted}, // of every product
		{"update", Declared, NotPermitted},
		{"user/get", NotPermitted, Declared},
		{"user/alarm", Declared, NotPermitted},
		{"user/talk", Declared, Declared},
		{"user/cmd/x", NotPermitted, Declared},
		{"user/cmd/+", NotPermitted, Declared},
		{"user/cmd/#", Undeclared, Undeclared},
		{"user/cmd", Undeclared, Undeclared},
		{"user/cmd/x/y", Undeclared, Undeclared},
		{"user/all/#", NotPermitted, Declared},
		{"user/all", NotPermitted, Declared},
		{"user/all/x/+", NotPermitted, Declared},
		{"user/+", Undeclared, Undeclared},
		{"user/#", Undeclared, Undeclared},
		{"#", Undeclared, Undeclared},
		{"user/other", Undeclared, Undeclared},
		{"", Undeclared, Undeclared},
	} {
		publish, err1 := s.MayPublish(ctx, "p", tt.path)
		subscribe, err2 := s.MaySubscribe(ctx, "p", tt.path)
		if publish != tt.publish || subscribe != tt.subscribe || err1 != nil || err2 != nil {
			t.Errorf("%q: %d, %d", tt.path, publish, subscribe)
		}
	}
	if err := s.Remove(ctx, "p", "user/alarm"); err != nil {
		t.Fatal(err)
	}
	if v, _ := s.MayPublish(ctx, "p", "user/alarm"); v != Undeclared {
		t.Errorf("removed: %d", v)
	}
	if err := s.Remove(ctx, "p", "user/alarm"); fault.KindOf(err) != fault.KindNotFound {
		t.Error(err)
	}
}

func TestClassesThatCannotBe(t *testing.T) {
	s, ctx := newTopics(), t.Context()
	for _, c := range []Class{
		{Path: "", Permission: Publish}, {Path: "user//x", Permission: Publish}, {Path: "user/a-b", Permission: Publish}, {Path: "user/#/x", Permission: Subscribe},
		{Path: "user/a+", Permission: Subscribe}, {Path: "user/+", Permission: Publish}, {Path: "user/#", Permission: Both}, {Path: "user/x"},
		{Path: "a/b/c/d/e/f", Permission: Publish}, {Path: strings.Repeat("x", 93), Permission: Publish}, {Path: "user/x", Permission: Publish, Desc: strings.Repeat("字", 101)},
	} {
		c.Product = "p"
		if _, err := s.Declare(ctx, c); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, path := range []string{"a/b/c/d/e", strings.Repeat("x", 92)} {
		if _, err := s.Declare(ctx, Class{Product: "p", Path: path, Permission: Publish}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := s.Declare(ctx, Class{Product: "q", Path: "x", Permission: Publish}); fault.KindOf(err) != fault.KindNotFound {
		t.Error(err)
	}
}

func TestClassesAreBounded(t *testing.T) {
	s, ctx := newTopics(), t.Context()
	for i := range MaxClasses {
		if _, err := s.Declare(ctx, Class{Product: "p", Path: fmt.Sprint("user/t", i), Permission: Publish}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Declare(ctx, Class{Product: "p", Path: "user/more", Permission: Publish}); fault.KindOf(err) != fault.KindExhausted {
		t.Error(err)
	}
	if _, err := s.Declare(ctx, Class{Product: "p", Path: "user/t1", Permission: Both}); err != nil {
		t.Errorf("changed: %v", err)
	}
	all, err := s.Classes(ctx, "p")
	if err != nil || len(all) != MaxClasses+len(usual) {
		t.Errorf("%d, %v", len(all), err)
	}
}

// What a class covers, each topic that the filter matches is matched by it too.
func FuzzCovers(f *testing.F) {
	f.Add("user/+/#", "user/a/b", "user/a/b")
	f.Add("user/#", "user/+/x", "user/q/x")
	f.Fuzz(func(t *testing.T, class, filter, topic string) {
		if mqtt.ValidFilter(class) != nil || mqtt.ValidFilter(filter) != nil || mqtt.ValidTopicName(topic) != nil {
			return
		}
		if covers(class, filter) && mqtt.Match("/p/d/"+filter, "/p/d/"+topic) && !mqtt.Match("/p/d/"+class, "/p/d/"+topic) {
			t.Errorf("%q covers %q, and not %q", class, filter, topic)
		}
	})
}
