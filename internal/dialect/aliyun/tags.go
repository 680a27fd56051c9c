package aliyun

import (
	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
)

// tagsUpdate and tagsDelete read requests about tags [aliyun-device §4.9].
func tagsUpdate(r *reading) dialect.Request {
	all, ok := r.tags(vendor.ParseTags, `[{"attrKey":"Temperature","attrValue":"36.8"}]`)
	if !ok {
		return nil
	}
	return &dialect.TagsUpdate{Tags: all}
}

func tagsDelete(r *reading) dialect.Request {
	all, ok := r.tags(vendor.ParseTagKeys, `[{"attrKey":"Temperature"}]`)
	if !ok {
		return nil
	}
	return &dialect.TagsDelete{Tags: all}
}

func (r *reading) tags(parse func([]byte) ([]vendor.Tag, error), want string) ([]dialect.Tag, bool) {
	params, ok := r.alink()
	if !ok {
		return nil, false
	}
	found, err := parse(params)
	if err != nil {
		r.decline(badParams(err, params, want), codeBadParams, textBadParams)
		return nil, false
	}
	all := make([]dialect.Tag, len(found))
	for i, t := range found {
		all[i] = dialect.Tag{Name: t.Key, Value: t.Value, System: t.System}
	}
	return all, true
}
