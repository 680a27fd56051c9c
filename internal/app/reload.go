package app

import (
	"context"
	"log/slog"
	"os"
	"reflect"
	"strings"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/coapgate"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/gate"
)

// A Reload lets a running Matou read its configuration again. The zero Reload
// never does.
type Reload struct {
	Ask   <-chan os.Signal       // each value asks for it once
	Read  func() (Config, error) // as at the start, flags included
	Level *slog.LevelVar         // of the log
}

// liveKeys are what changes without a restart; a key names all below it.
var liveKeys = []string{
	"devices.maxConnections", "devices.maxPacketBytes", "devices.connectTimeout", "devices.limits", "devices.aliyun", "tls", "log.level",
}

func live(key string) bool {
	for _, l := range liveKeys {
		if key == l || strings.HasPrefix(key, l+".") {
			return true
		}
	}
	return false
}

// A reloader puts what is read again into force: all of it that can be, or
// nothing.
type reloader struct {
	Reload
	certs  *certificates
	broker *broker.Broker
	gate   *gate.Gate
	coap   *coapgate.Server
	rules  *dialect.Rulebook
	log    *slog.Logger
	force  Config // as it is in force
}

// run reloads whenever it is asked to, until ctx is done.
func (r *reloader) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.Ask:
			r.reload()
		}
	}
}

func (r *reloader) reload() {
	next, err := r.Read()
	if err == nil {
		err = next.Check()
	}
	if err == nil {
		err = r.certs.use(next.TLS)
	}
	if err != nil {
		r.log.Error("configuration refused, the one before stays", "error", err)
		return
	}
	var changed, waiting []string
	for _, key := range differences(&r.force, &next) {
		if live(key) {
			changed = append(changed, key)
		} else {
			waiting = append(waiting, key)
		}
	}
	r.apply(&next)
	r.log.Info("configuration read again", "changed", changed)
	if len(waiting) > 0 {
		r.log.Warn("these keys change with the next start", "keys", waiting)
	}
}

// apply puts the live keys of c into force.
func (r *reloader) apply(c *Config) {
	r.broker.SetLimits(c.Devices.broker())
	r.coap.SetLimits(c.Devices.Limits.CoAPSessions, c.Devices.Limits.CoAPSConnections)
	r.gate.SetConnectRate(c.Devices.Limits.ConnectRatePerDevice)
	c.Devices.setRules(r.rules)
	r.Level.Set(c.Log.level())
	f := &r.force
	f.Devices.MaxConnections, f.Devices.MaxPacketBytes = c.Devices.MaxConnections, c.Devices.MaxPacketBytes
	f.Devices.ConnectTimeout, f.Devices.Limits, f.Devices.Aliyun = c.Devices.ConnectTimeout, c.Devices.Limits, c.Devices.Aliyun
	f.TLS, f.Log.Level = c.TLS, c.Log.Level
}

// differences are the keys that have other values in b than in a.
func differences(a, b *Config) []string {
	return differ(reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem(), "")
}

func differ(a, b reflect.Value, prefix string) (keys []string) {
	for i := range a.NumField() {
		key := prefix + a.Type().Field(i).Tag.Get("yaml")
		switch x, y := a.Field(i), b.Field(i); {
		case x.Kind() == reflect.Struct:
			keys = append(keys, differ(x, y, key+".")...)
		case x.Kind() == reflect.Slice && x.Len() == 0 && y.Len() == 0: // left out, or an empty list
		case !reflect.DeepEqual(x.Interface(), y.Interface()):
			keys = append(keys, key)
		}
	}
	return keys
}
