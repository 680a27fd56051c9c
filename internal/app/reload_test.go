package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/coapgate"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/gate"
)

// A desk is a reloader with a file to write into.
type desk struct {
	*reloader
	t    *testing.T
	file string
	log  bytes.Buffer
}

func newDesk(t *testing.T, text string) *desk {
	t.Helper()
	d := &desk{t: t, file: filepath.Join(t.TempDir(), "matou.yaml")}
	write(t, d.file, text)
	read := func() (Config, error) { return Load(d.file, nil) }
	c, err := read()
	if err != nil {
		t.Fatal(err)
	}
	log, level := c.Log.Logger(&d.log)
	certs, err := newCertificates(c.TLS, t.TempDir(), "127.0.0.1", log)
	if err != nil {
		t.Fatal(err)
	}
	b, err := broker.New(broker.Options{Limits: c.Devices.broker()})
	if err != nil {
		t.Fatal(err)
	}
	d.reloader = &reloader{
		Reload: Reload{Read: read, Level: level}, certs: certs, broker: b,
		gate: gate.New(gate.Options{}), coap: coapgate.New(coapgate.Options{}), rules: new(dialect.Rulebook), log: log, force: c,
	}
	return d
}

// again reloads with text and returns what the log says of it.
func (d *desk) again(text string) string {
	d.t.Helper()
	write(d.t, d.file, text)
	d.log.Reset()
	d.reload()
	return d.log.String()
}

func TestReloadChangesLimitsCertificatesAndLevel(t *testing.T) {
	dir := t.TempDir()
	pair := issued(t, "fresh.test", nil, soon()).files(t, dir, "fresh")
	d := newDesk(t, "devices:\n  maxConnections: 5\n")
	log := d.again(fmt.Sprintf("devices:\n  maxConnections: 6\n  limits:\n    queueMessages: 9\ntls:\n  certificate: %s\n  key: %s\nlog:\n  level: debug\n", pair.Certificate, pair.Key))
	if l := d.broker.Limits(); l.Connections != 6 || l.QueueCount != 9 {
		t.Errorf("limits %+v", l)
	}
	if got := d.certs.current.Load().Certificates[0].Leaf.Subject.CommonName; got != "fresh.test" {
		t.Errorf("the certificate is for %s", got)
	}
	if d.Level.Level() != slog.LevelDebug {
		t.Errorf("level %v", d.Level)
	}
	if !strings.Contains(log, `changed="[devices.maxConnections devices.limits.queueMessages tls.certificate tls.key log.level]"`) || strings.Contains(log, "WARN") {
		t.Errorf("log:\n%s", log)
	}
	if log = d.again("{}"); d.broker.Limits().Connections != 1_000_000 || !strings.Contains(log, "devices.maxConnections") {
		t.Errorf("what is left out has its default again: %d connections, log:\n%s", d.broker.Limits().Connections, log)
	}
}

func TestReloadRefusesTheWhole(t *testing.T) {
	dir := t.TempDir()
	pair := issued(t, "server.test", nil, soon()).files(t, dir, "server")
	const good = "devices:\n  maxConnections: 5\n"
	d := newDesk(t, good)
	before := d.certs.current.Load()
	for _, tt := range []struct{ name, text, want string }{
		{"a value", "devices:\n  maxConnections: 6\n  limits:\n    topicLevels: 0\n    inflight: -1\n", "devices.limits.topicLevels: 0 is not"},
		{"an unknown key", "devices:\n  maxConnection: 6\n", "maxConnection"},
		{"no YAML", "devices: [", "matou.yaml"},
		{"a certificate", "devices:\n  maxConnections: 6\ntls:\n  certificate: " + pair.Certificate + "\n  key: " + dir + "/none.key\n", "tls.certificate: load certificate " + pair.Certificate},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := d.again(tt.text)
			if !strings.Contains(log, "level=ERROR") || !strings.Contains(log, tt.want) || strings.Count(log, "\n") != 1 {
				t.Errorf("log:\n%s", log)
			}
			if n := d.broker.Limits().Connections; n != 5 || d.certs.current.Load() != before {
				t.Errorf("%d connections, certificate kept: %v", n, d.certs.current.Load() == before)
			}
		})
	}
	t.Run("the file is gone", func(t *testing.T) {
		os.Remove(d.file)
		d.log.Reset()
		if d.reload(); !strings.Contains(d.log.String(), d.file) || d.broker.Limits().Connections != 5 {
			t.Errorf("log:\n%s", d.log.String())
		}
	})
	if log := d.again(good); !strings.Contains(log, "changed=[]") {
		t.Errorf("mended, the log says:\n%s", log)
	}
}

func TestReloadNamesWhatHasToWait(t *testing.T) {
	d := newDesk(t, "{}")
	for range 2 { // and says so again
		log := d.again("data: elsewhere\napi:\n  adminPassword: do not show me\ndevices:\n  listen: [\":2883\"]\n  maxConnections: 7\n")
		if !strings.Contains(log, `keys="[data devices.listen api.adminPassword]"`) || strings.Contains(log, "do not show me") {
			t.Errorf("log:\n%s", log)
		}
	}
	if n := d.broker.Limits().Connections; n != 7 {
		t.Errorf("what need not wait: %d connections", n)
	}
}

func TestLiveKeysExist(t *testing.T) {
	a, b := Default(), Config{}
	all := differences(&a, &b)
	for _, key := range []string{"devices.maxConnections", "devices.limits.inflight", "log.level"} {
		if !slices.Contains(all, key) || !live(key) {
			t.Errorf("%s is no key that is live", key)
		}
	}
	for _, key := range []string{"devices.listen", "log.format", "tlsx"} {
		if live(key) {
			t.Errorf("%s is live", key)
		}
	}
}

// TestReloadChangesWhatVendorsWroteDown: an operator puts his own numbers in the
// place of a vendor's, while the server runs.
func TestReloadChangesWhatVendorsWroteDown(t *testing.T) {
	d := newDesk(t, "{}")
	l, ok := d.rules.Limits(aliyun.Dialect{}, dialect.Strict)
	if want := (aliyun.Dialect{}).Limits(); !ok || l != want {
		t.Errorf("%+v, want the vendor's %+v", l, want)
	}
	d.again("devices: {aliyun: {downlinkRate: 7, subscriptions: 0, leniency: 3}}")
	l, _ = d.rules.Limits(aliyun.Dialect{}, dialect.Strict)
	lenient, _ := d.rules.Limits(aliyun.Dialect{}, dialect.Lenient)
	if l.Downlinks != 7 || l.Subscriptions != 0 || l.QoS0 != 30 || lenient.Downlinks != 21 || lenient.QoS0 != 90 {
		t.Errorf("%+v, %+v", l, lenient)
	}
	if log := d.again("devices: {aliyun: {leniency: 0}}"); !strings.Contains(log, "devices.aliyun.leniency") {
		t.Errorf("log: %s", log)
	}
}
