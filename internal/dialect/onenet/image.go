package onenet

import (
	"errors"

	"github.com/matou-iot/matou/internal/dialect"
	vendor "github.com/matou-iot/matou/onenet"
)

// imageUpdate reads what a device says to its image [onenet §4.3].
func imageUpdate(r *reading) dialect.Request {
	u, err := vendor.ParseImageUpdate(r.payload)
	if u.Loose != 0 {
		r.up.Loose = u.Loose
		if err == nil && r.strict {
			err = vendor.ImageNoJSON
		}
	}
	if err != nil {
		return r.refuseImage(err)
	}
	return &dialect.ImageUpdate{Desired: u.Desired, Reported: u.Reported}
}

// imageGet reads a question for the image, which has to be empty.
func imageGet(r *reading) dialect.Request {
	if !vendor.EmptyImageGet(r.payload) {
		return r.refuseImage(vendor.IllegalData)
	}
	return &dialect.ImageGet{}
}

func (r *reading) refuseImage(err error) dialect.Request {
	code := imageCode(err)
	f := imageFaults[code]
	r.up.Fault = &dialect.Diagnosis{
		Code: "onenet-image", Field: f.field, Received: cut(string(r.payload), maxShown), Expected: f.want,
		Sentence: "the image message is refused: " + code.Error(), SentenceZH: "设备镜像消息被拒绝：" + f.zh,
		Advice: "send " + f.want, AdviceZH: "应发送：" + f.wantZH,
	}
	r.tell(vendor.RejectedSuffix, vendor.AppendRejected(nil, code))
	return nil
}

const imageExample = `{"state":{"reported":{"color":"red"}}}`

// imageFaults say what is wrong with a message about the image, by its code.
var imageFaults = map[vendor.StreamCode]struct{ field, want, wantZH, zh string }{
	vendor.IllegalData:  {"payload", "an empty message to image/get", "空消息", "image/get 的消息体必须为空"},
	vendor.ImageNoJSON:  {"payload", imageExample, imageExample, "消息不是合法 JSON"},
	vendor.ImageTooLong: {"payload", "at most 16 KB", "不超过 16 KB 的消息", "消息超过 16 KB"},
	vendor.ImageTooDeep: {"state", "objects of at most 5 levels", "不超过 5 层的对象", "嵌套超过 5 层"},
	vendor.ImageNoState: {"state", imageExample, imageExample, "缺少 state"},
	vendor.ImageNoPart:  {"state", imageExample, imageExample, "state 中没有 desired 或 reported"},
	vendor.ImageBadPart: {"state", "objects with at least one attribute in desired and reported", "desired、reported 各至少含一项", "desired、reported 应为至少含一项的对象"},
}

// imageCode is the platform's code of what went wrong.
func imageCode(err error) vendor.StreamCode {
	if c, ok := errors.AsType[vendor.StreamCode](err); ok {
		return c
	}
	switch {
	case errors.Is(err, dialect.ErrNoImage):
		return vendor.ImageMissing
	case errors.Is(err, dialect.ErrImageSize):
		return vendor.ImageTooLong
	}
	return vendor.ServerFailed
}

func imageRefused(a *dialect.Ask, err error) []dialect.Downlink {
	return []dialect.Downlink{{Topic: a.Topic + vendor.RejectedSuffix, Payload: vendor.AppendRejected(nil, imageCode(err))}}
}

// imageUpdated tells what was changed, then what is still to be done.
func imageUpdated(r *dialect.ImageUpdate, c *dialect.ImageChange, err error) []dialect.Downlink {
	if err != nil {
		return imageRefused(r.Asked(), err)
	}
	accepted := dialect.Downlink{Topic: r.Topic + vendor.AcceptedSuffix, Payload: vendor.AppendImage(nil, wireImage(&c.Changed))}
	return append([]dialect.Downlink{accepted}, Dialect{}.TellImage(r.Claim, c)...)
}

func imageGot(r *dialect.ImageGet, im *dialect.Image, err error) []dialect.Downlink {
	if err != nil {
		return imageRefused(r.Asked(), err)
	}
	return []dialect.Downlink{{Topic: r.Topic + vendor.AcceptedSuffix, Payload: vendor.AppendImage(nil, wireImage(im))}}
}

// TellImage tells a device what is desired of it and not reported so.
func (Dialect) TellImage(c dialect.Claim, change *dialect.ImageChange) []dialect.Downlink {
	if len(change.Delta) == 0 {
		return nil
	}
	return []dialect.Downlink{{
		Topic:   vendor.DeviceTopic(c.Product, c.Device, vendor.ImageDeltaPath),
		Payload: vendor.AppendImageDelta(nil, wireAttributes(change.Delta), change.Changed.Version, change.Changed.UpdatedAt.Unix()),
	}}
}

func wireImage(im *dialect.Image) *vendor.ImageDocument {
	return &vendor.ImageDocument{
		Desired: wireAttributes(im.Desired), Reported: wireAttributes(im.Reported), Version: im.Version, At: im.UpdatedAt.Unix(),
	}
}

func wireAttributes(all []dialect.ImageAttribute) []vendor.ImageAttribute {
	out := make([]vendor.ImageAttribute, len(all))
	for i, a := range all {
		out[i] = vendor.ImageAttribute{Name: a.Name, Value: a.Value, At: a.At.Unix()}
	}
	return out
}
