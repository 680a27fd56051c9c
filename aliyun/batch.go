package aliyun

import (
	"encoding/json"
	"errors"

	"github.com/matou-iot/matou/thing"
)

// The bounds of one batch, history or pack post [aliyun-device §5.8]:
// identifiers of one device, and sub-devices.
const (
	MaxPostProperties = 200
	MaxPostEvents     = 20
	MaxPostParts      = 20
)

// Why a post of many is refused as a whole.
var (
	ErrTooManyProperties = errors.New("aliyun: a device reports more than 200 properties")
	ErrTooManyEvents     = errors.New("aliyun: a device tells more than 20 events")
	ErrTooManyParts      = errors.New("aliyun: the message speaks for more than 20 sub-devices")
	ErrNoIdentity        = errors.New("aliyun: a part of the message does not say which device it is of")
	ErrBadPost           = errors.New("aliyun: the message is not of the documented form")
)

// A Post is what a batch, history or pack post says of one device.
type Post struct {
	ProductKey string // "" of the sender
	DeviceName string
	Properties []Sample
	Events     []Happening
}

// A Sample is a value of a property. At is UTC milliseconds, 0 where the device
// named no time, -1 where it is none.
type Sample struct {
	ID    string
	Value thing.Value
	At    int64
}

// A Happening is an event, At as in Sample.
type Happening struct {
	Event  string
	Output []thing.Argument
	At     int64
}

// BatchPost reads thing/event/property/batch/post: several values of one
// property, and events.
func (d *Decoder) BatchPost(doc []byte) (Post, error) {
	args, err := d.object(doc)
	if err != nil {
		return Post{}, err
	}
	var p Post
	return p, p.fill(args, true)
}

// HistoryPost reads thing/event/property/history/post: what devices said while
// they could not be heard, the sender among them or not.
func (d *Decoder) HistoryPost(doc []byte) ([]Post, error) {
	params, err := d.Params(doc)
	if err != nil {
		return nil, err
	}
	if params == nil {
		return nil, ErrNoParams
	}
	list, err := thing.ParseValue(params)
	if err != nil || list.Shape != thing.List && list.Shape != thing.Object {
		return nil, ErrBadPost
	}
	return posts(list, false)
}

// PackPost reads thing/event/property/pack/post of a gateway: what it says of
// itself comes first, then its sub-devices.
func (d *Decoder) PackPost(doc []byte) ([]Post, error) {
	args, err := d.object(doc)
	if err != nil {
		return nil, err
	}
	var own Post
	if err := own.fill(args, false); err != nil {
		return nil, err
	}
	all := []Post{own}
	for _, a := range args {
		if a.ID != "subDevices" {
			continue
		}
		subs, err := posts(a.Value, true)
		if err != nil {
			return nil, err
		}
		all = append(all, subs...)
	}
	return all, nil
}

// object reads params that are an object.
func (d *Decoder) object(doc []byte) ([]thing.Argument, error) {
	params, err := d.Params(doc)
	if err != nil {
		return nil, err
	}
	if params == nil {
		return nil, ErrNoParams
	}
	args, err := thing.ParseArguments(params)
	if err != nil {
		return nil, ErrBadPost
	}
	return args, nil
}

// posts reads a list of parts with an identity each; sub says that each must
// have one.
func posts(list thing.Value, sub bool) ([]Post, error) {
	items, err := items(list)
	if err != nil {
		return nil, err
	}
	if len(items) > MaxPostParts {
		return nil, ErrTooManyParts
	}
	all := make([]Post, len(items))
	for i, item := range items {
		args, err := thing.ParseArguments([]byte(item.Text))
		if item.Shape != thing.Object || err != nil {
			return nil, ErrBadPost
		}
		p := &all[i]
		for _, a := range args {
			if a.ID == "identity" {
				p.ProductKey, p.DeviceName = identity(a.Value)
			}
		}
		if (p.ProductKey == "" || p.DeviceName == "") && (sub || p.ProductKey != p.DeviceName) {
			return nil, ErrNoIdentity
		}
		if err := p.fill(args, false); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func identity(v thing.Value) (pk, dn string) {
	args, err := thing.ParseArguments([]byte(v.Text))
	if v.Shape != thing.Object || err != nil {
		return "", ""
	}
	for _, a := range args {
		switch {
		case a.Value.Shape != thing.String:
		case a.ID == "productKey":
			pk = a.Value.Text
		case a.ID == "deviceName":
			dn = a.Value.Text
		}
	}
	return pk, dn
}

// items are those of a list, or an object alone.
func items(v thing.Value) ([]thing.Value, error) {
	if v.Shape == thing.Object {
		return []thing.Value{v}, nil
	}
	if v.Shape != thing.List {
		return nil, ErrBadPost
	}
	return listed(v.Text)
}

// listed are the items of a list.
func listed(text string) ([]thing.Value, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, ErrBadPost
	}
	all := make([]thing.Value, len(raw))
	for i := range raw {
		var err error
		if all[i], err = thing.ParseValue(raw[i]); err != nil {
			return nil, ErrBadPost
		}
	}
	return all, nil
}

// fill reads properties and events; many says that each has a list of values.
func (p *Post) fill(args []thing.Argument, many bool) error {
	ids, events := make(map[string]bool), make(map[string]bool)
	for _, a := range args {
		var take func(id string, v thing.Value) error
		switch a.ID {
		case "properties":
			take = func(id string, v thing.Value) error {
				if ids[id] = true; len(ids) > MaxPostProperties {
					return ErrTooManyProperties
				}
				s := Sample{ID: id, Value: v}
				if v.Shape == thing.Object {
					s.Value, s.At = opened(v)
				}
				p.Properties = append(p.Properties, s)
				return nil
			}
		case "events":
			take = func(id string, v thing.Value) error {
				if events[id] = true; len(events) > MaxPostEvents {
					return ErrTooManyEvents
				}
				h := Happening{Event: id}
				v, h.At = opened(v)
				var err error
				if h.Output, err = thing.ParseArguments([]byte(v.Text)); v.Shape != thing.Object || err != nil {
					return ErrBadPost
				}
				p.Events = append(p.Events, h)
				return nil
			}
		default:
			continue
		}
		groups, err := items(a.Value)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if err := each(g, many, take); err != nil {
				return err
			}
		}
	}
	return nil
}

// each takes the members of an object, and with many the items of each that is
// a list.
func each(object thing.Value, many bool, take func(id string, v thing.Value) error) error {
	members, err := thing.ParseArguments([]byte(object.Text))
	if object.Shape != thing.Object || err != nil {
		return ErrBadPost
	}
	for _, m := range members {
		values := []thing.Value{m.Value}
		if many && m.Value.Shape == thing.List {
			if values, err = listed(m.Value.Text); err != nil {
				return ErrBadPost
			}
		}
		for _, v := range values {
			if err := take(m.ID, v); err != nil {
				return err
			}
		}
	}
	return nil
}
