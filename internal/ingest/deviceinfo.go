package ingest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/thing"
)

// about lets ingest itself serve what the registry alone answers.
func (in *Ingest) about() {
	Handle(in, in.updateTags)
	Handle(in, in.deleteTags)
	Handle(in, in.model)
	Handle(in, in.reset)
	Handle(in, in.lanKey)
	Handle(in, in.network)
}

func idOf(a *dialect.Ask) registry.ID {
	return registry.ID{Product: a.Claim.Product, Device: a.Claim.Device}
}

// updateTags sets tags of a device.
func (in *Ingest) updateTags(ctx context.Context, r *dialect.TagsUpdate) (dialect.Done, error) {
	return dialect.Done{}, in.changeTags(ctx, r.Asked(), r.Tags, false)
}

// deleteTags takes tags of a device away.
func (in *Ingest) deleteTags(ctx context.Context, r *dialect.TagsDelete) (dialect.Done, error) {
	return dialect.Done{}, in.changeTags(ctx, r.Asked(), r.Tags, true)
}

func (in *Ingest) changeTags(ctx context.Context, a *dialect.Ask, tags []dialect.Tag, remove bool) error {
	changes := make([]registry.Tag, len(tags))
	for i, t := range tags {
		changes[i] = registry.Tag{Name: t.Name, Value: t.Value, System: t.System, Remove: remove}
	}
	err := in.Registry.ChangeTags(ctx, idOf(a), changes)
	if fault.KindOf(err) != fault.KindInvalid {
		return err
	}
	return &dialect.Refusal{Cause: err, Diagnosis: dialect.Diagnosis{
		Code: "bad-tags", Field: "params", Received: fmt.Sprintf("%d tags", len(tags)), Expected: "at most 100 tags of a device, their values of at most 256 bytes",
		Sentence: "the tags are refused: " + fault.Sentence(err), SentenceZH: "标签被拒绝：" + fault.SentenceZH(err),
		Advice: "delete tags that are not needed, or shorten their values", AdviceZH: "请删除不需要的标签，或缩短标签值",
	}}
}

// model gives a device the thing model of its product.
func (in *Ingest) model(ctx context.Context, r *dialect.ModelGet) (*thing.Model, error) {
	p, err := in.Registry.Product(ctx, r.Claim.Product)
	if err != nil {
		return nil, err
	}
	return p.Model, nil
}

// reset notes that a device was set back by hand. Matou knows devices by their
// secret and has no owners to take away: the note is all there is to do.
func (in *Ingest) reset(_ context.Context, r *dialect.Reset) (dialect.Done, error) {
	in.Trace.Record(trace.Entry{
		Product: r.Claim.Product, Device: r.Claim.Device, Kind: trace.Note, Code: "device-reset",
		Sentence:   "the device was set back by hand; its name, secret and data stay",
		SentenceZH: "设备已被手动复位；其名称、密钥与数据保持不变",
	})
	return dialect.Done{}, nil
}

// lanPrefix is how many digits of the name for the local network there are.
const lanPrefix = 8

// lanKey gives a device the key of its local network. It is made of the
// device's secret, which it does not tell.
func (in *Ingest) lanKey(ctx context.Context, r *dialect.LANGet) (dialect.LANKey, error) {
	d, err := in.Registry.Device(ctx, idOf(r.Asked()))
	if err != nil {
		return dialect.LANKey{}, err
	}
	derive := func(what string) string {
		mac := hmac.New(sha256.New, []byte(d.Secret))
		mac.Write([]byte("lan " + what + " " + d.ID().String()))
		return hex.EncodeToString(mac.Sum(nil)[:16])
	}
	return dialect.LANKey{Prefix: derive("prefix")[:lanPrefix], Secret: derive("secret")}, nil
}

// Networks keep what devices reported last of their networks.
type Networks interface {
	SaveNetwork(ctx context.Context, id registry.ID, n registry.Network) error
}

// network notes how good a device's network is, and keeps what it said last.
func (in *Ingest) network(ctx context.Context, r *dialect.NetworkReport) (dialect.Done, error) {
	in.Trace.Record(trace.Entry{
		Product: r.Claim.Product, Device: r.Claim.Device, Kind: trace.Note, Code: "network-status",
		Sentence: "the device reports its network status", SentenceZH: "设备上报网络状态", Detail: r.Report,
	})
	if in.Networks == nil || len(r.Report) > registry.MaxNetwork {
		return dialect.Done{}, nil
	}
	err := in.Networks.SaveNetwork(ctx, idOf(r.Asked()), registry.Network{At: in.Now(), Report: slices.Clone(r.Report)})
	return dialect.Done{}, err
}
