package registry

import (
	"context"
	"maps"
)

// A Tag is a change of one tag of a device.
type Tag struct {
	Name, Value string
	System      bool // one of SystemTags
	Remove      bool // take it away, if it is there
}

// ChangeTags changes some tags of a device and leaves the others. Where that
// changes nothing, nothing is written: SDKs send theirs at every start.
func (r *Registry) ChangeTags(ctx context.Context, id ID, changes []Tag) error {
	d, err := r.Device(ctx, id)
	if err != nil {
		return err
	}
	tags, system := changedTags(d, changes)
	if maps.Equal(tags, d.Tags) && maps.Equal(system, d.SystemTags) {
		return nil
	}
	_, err = r.UpdateDevice(ctx, id, func(d *Device) error {
		d.Tags, d.SystemTags = changedTags(d, changes)
		return nil
	})
	return err
}

func changedTags(d *Device, changes []Tag) (tags, system map[string]string) {
	tags, system = maps.Clone(d.Tags), maps.Clone(d.SystemTags)
	for _, c := range changes {
		of := &tags
		if c.System {
			of = &system
		}
		if c.Remove {
			delete(*of, c.Name)
			continue
		}
		if *of == nil {
			*of = make(map[string]string)
		}
		(*of)[c.Name] = c.Value
	}
	return tags, system
}
