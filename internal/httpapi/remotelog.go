package httpapi

import "context"

// A logSwitch is whether a device shall post its log.
type logSwitch struct {
	On   bool   `json:"on"`
	Told string `json:"told,omitempty" doc:"Of a change: delivered, queued, or why the device could not be told; it asks when it comes back"`
}

func (a *api) showLog(ctx context.Context, in *DevicePath) (logSwitch, error) {
	d, err := a.Registry.Device(ctx, in.id())
	if err != nil {
		return logSwitch{}, err
	}
	return logSwitch{On: d.RemoteLog}, nil
}

type switchLogInput struct {
	DevicePath
	Body struct {
		On bool `json:"on" doc:"The device shall post its log; the lines are in its timeline"`
	}
}

func (a *api) switchLog(ctx context.Context, in *switchLogInput) (logSwitch, error) {
	told, err := a.Logs.Switch(ctx, in.id(), in.Body.On)
	return logSwitch{in.Body.On, told}, err
}
