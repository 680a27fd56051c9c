package aliyun

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/matou-iot/matou/thing"
)

// The bounds of tags [aliyun-device §4.9].
const (
	MaxTagsPerRequest = 200
	MaxTagsPerDevice  = 100
	MaxTagKey         = 64
)

// A Tag is one of a device.
type Tag struct {
	Key, Value string
	System     bool // of an SDK's own: kept apart from those of people
}

// The faults of a request about tags.
var (
	ErrTooManyTags = errors.New("aliyun: more than 200 tags in one request")
	ErrNoTagKey    = errors.New("aliyun: attrKey is missing")
	ErrNoTagValue  = errors.New("aliyun: attrValue is missing")
	ErrTagKey      = errors.New("aliyun: attrKey is not 1 to 64 letters, digits and underscores, no digit in front")
)

// ParseTags reads the params of thing/deviceinfo/update [aliyun-device §4.9].
// A value that is a number or a boolean is taken as its text.
func ParseTags(params []byte) ([]Tag, error) {
	return tags(params, true)
}

// ParseTagKeys reads the params of thing/deviceinfo/delete.
func ParseTagKeys(params []byte) ([]Tag, error) {
	return tags(params, false)
}

func tags(params []byte, valued bool) ([]Tag, error) {
	var list []struct {
		Key    string       `json:"attrKey"`
		Value  *thing.Value `json:"attrValue"`
		Domain string       `json:"domain"`
	}
	if len(params) > 0 && params[0] == '{' { // one, not in a list
		params = append(append([]byte{'['}, params...), ']')
	}
	if json.Unmarshal(params, &list) != nil || list == nil {
		return nil, ErrBadParams
	}
	if len(list) > MaxTagsPerRequest {
		return nil, ErrTooManyTags
	}
	all := make([]Tag, len(list))
	for i, t := range list {
		if t.Key == "" {
			return nil, &TagError{i, t.Key, ErrNoTagKey}
		}
		if !validTagKey(t.Key) {
			return nil, &TagError{i, t.Key, ErrTagKey}
		}
		all[i] = Tag{Key: t.Key, System: t.Domain == "SYSTEM"}
		if !valued {
			continue
		}
		if t.Value == nil || t.Value.Shape == thing.Null {
			return nil, &TagError{i, t.Key, ErrNoTagValue}
		}
		if all[i].Value = t.Value.Text; t.Value.Shape != thing.String {
			all[i].Value = string(t.Value.AppendJSON(nil))
		}
	}
	return all, nil
}

// A TagError says which tag of a request cannot be taken. errors.Is sees its
// Reason.
type TagError struct {
	Index  int // in the list, from 0
	Key    string
	Reason error
}

func (e *TagError) Error() string {
	return fmt.Sprintf("%v (tag %d, %q)", e.Reason, e.Index+1, e.Key)
}

func (e *TagError) Unwrap() error { return e.Reason }

func validTagKey(key string) bool {
	if key == "" || len(key) > MaxTagKey || key[0] >= '0' && key[0] <= '9' {
		return false
	}
	for _, c := range []byte(key) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}
