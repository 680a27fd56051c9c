// Package app is the composition: the configuration tree, and the one place
// where the parts are built, started and stopped in order.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/matou-iot/matou/console"
	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/audit"
	"github.com/matou-iot/matou/internal/bench"
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/coapgate"
	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/devicehttp"
	"github.com/matou-iot/matou/internal/deviceimage"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/dialect/plain"
	"github.com/matou-iot/matou/internal/enroll"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/fileupload"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/httpapi"
	"github.com/matou-iot/matou/internal/httpgate"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/layers"
	"github.com/matou-iot/matou/internal/ota"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/remoteconfig"
	"github.com/matou-iot/matou/internal/remotelog"
	"github.com/matou-iot/matou/internal/script"
	"github.com/matou-iot/matou/internal/shadow"
	"github.com/matou-iot/matou/internal/store/series"
	"github.com/matou-iot/matou/internal/store/sessions"
	"github.com/matou-iot/matou/internal/store/sqlite"
	"github.com/matou-iot/matou/internal/store/stream"
	"github.com/matou-iot/matou/internal/topics"
	"github.com/matou-iot/matou/internal/topology"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
)

// An App is a Matou with all its parts, built and not yet serving.
type App struct {
	config  Config
	reload  Reload
	version string
	out     io.Writer // what people are told: addresses, the first password, the demo
	log     *slog.Logger
	started time.Time

	lock      *os.File
	disk      *guard
	db        *sqlite.DB
	series    *series.DB
	stream    *stream.Log
	sessions  *sessions.Store
	dialects  dialect.Set
	rules     dialect.Rulebook
	registry  *registry.Registry
	feed      *feed.Feed
	history   *history.History
	access    *access.Access
	timeline  *timeline
	certs     *certificates
	gate      *gate.Gate
	broker    *broker.Broker
	doors     *devicehttp.Mux // plain HTTP on the device ports
	commands  *command.Service
	images    *deviceimage.Service
	enroll    *enroll.Service
	upgrades  *ota.Service
	files     *fileupload.Service
	topology  *topology.Service
	shadows   *shadow.Service
	configs   *remoteconfig.Service
	logs      *remotelog.Service
	scripts   *script.Scripts
	topics    *topics.Topics
	bench     *bench.Bench
	api       http.Handler
	coap      *coapgate.Server
	devices   []net.Listener
	datagrams []*net.UDPConn // CoAP
	secure    []*net.UDPConn // CoAP over DTLS
	apiListen net.Listener

	firstPassword string // generated on this very start, "" otherwise
}

// strangerBytes bounds the timeline of identities that do not exist.
const strangerBytes = 4 << 20

// drainTime is how long connections may take to end at shutdown.
const drainTime = 5 * time.Second

// Dialects are the vendors' languages that this house speaks.
func Dialects() dialect.Set {
	return dialect.Set{aliyun.Dialect{}, onenet.Dialect{}, plain.Dialect{}}
}

// Run builds a Matou, serves until ctx is done, and stops it again. out gets
// what people are told.
func Run(ctx context.Context, c Config, reload Reload, version string, out io.Writer, log *slog.Logger) error {
	if err := c.Check(); err != nil {
		return err
	}
	a := &App{config: c, reload: reload, version: version, out: out, log: log, started: time.Now(), dialects: Dialects()}
	defer a.close()
	if err := a.build(ctx); err != nil {
		return err
	}
	return a.serve(ctx)
}

// build opens the stores and joins the parts, from the ground up.
func (a *App) build(ctx context.Context) error {
	if err := a.openData(); err != nil {
		return err
	}
	// Ports come before stores: a taken port is found within a moment.
	if err := a.listen(); err != nil {
		return err
	}
	if err := a.openStores(); err != nil {
		return a.disk.blame(err)
	}
	if err := a.openAccess(ctx); err != nil {
		return err
	}
	if err := a.registry.Restarted(ctx); err != nil {
		return fmt.Errorf("note that all devices are offline: %w", err)
	}
	return a.join()
}

// openData makes the data directory and makes sure that nobody else uses it.
func (a *App) openData() error {
	if err := os.MkdirAll(a.config.Data, 0o700); err != nil {
		return fmt.Errorf("data directory %s cannot be made: %w; name another with --data", a.config.Data, err)
	}
	f, err := os.OpenFile(a.config.path("matou.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("data directory %s is not writable: %w; name another with --data", a.config.Data, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("data directory %s is in use by another Matou; stop it or name another with --data", a.config.Data)
	}
	a.lock = f
	a.disk = &guard{dir: a.config.Data, reserve: a.config.Disk.Reserve, log: a.log}
	return nil
}

func (a *App) openStores() error {
	key, err := sqlite.LoadOrCreateKey(a.config.path("secret.key"))
	if err != nil {
		return err
	}
	if a.db, err = sqlite.Open(a.config.path("registry.db"), key); err != nil {
		return err
	}
	if a.series, err = series.Open(a.config.path("history"), series.Options{Log: a.log, Fatal: func() { os.Exit(1) }}); err != nil {
		return err
	}
	a.stream, err = stream.Open(a.config.path("feed"), stream.Options{
		Keep: a.config.Feed.Keep, MaxBytes: a.config.Feed.MaxBytes, Room: a.disk.room, Log: a.log,
	})
	if err != nil {
		return err
	}
	a.registry = registry.New(registry.Options{Store: a.db, Log: a.log})
	a.feed = feed.New(feed.Options{Log: a.stream, Logger: a.log})
	a.sessions = sessions.New(a.series.DB(), sessions.Options{Room: a.disk.room, Log: a.log})
	a.history = history.New(a.series, history.Options{Keep: a.config.History.Keep, Newest: a.newest, Log: a.log})
	return nil
}

// newest is the Seq of the newest record that the feed can have.
func (a *App) newest(ctx context.Context) (uint64, error) {
	batch, err := a.stream.Last(ctx)
	return feed.LastOf(batch), err
}

// openAccess makes the administrator on the first start and the token with
// which the command line on this machine works.
func (a *App) openAccess(ctx context.Context) error {
	a.access = access.New(access.Options{Store: a.db, Log: a.log})
	var err error
	if a.firstPassword, err = a.access.EnsureAdministrator(ctx, a.config.API.AdminPassword); err != nil {
		return err
	}
	if err := a.keepOnLoopback(ctx); err != nil {
		return err
	}
	return a.localToken(ctx)
}

// join makes the parts know one another.
func (a *App) join() error {
	recorder, strangers := trace.New(a.config.Trace.MaxBytes), trace.New(strangerBytes)
	a.timeline = &timeline{recorder, strangers}
	a.config.Devices.setRules(&a.rules)
	in := ingest.New(ingest.Options{Registry: a.registry, Feed: a.feed, Rulebook: &a.rules, Trace: recorder, Log: a.log})
	a.gate = gate.New(gate.Options{
		Registry: a.registry, Dialects: a.dialects, Uplinks: in, Trace: recorder, Strangers: strangers,
		Statuses: a.feed, Rulebook: &a.rules, OpenNetworks: prefixes(a.config.Devices.OpenNetworks),
		ConnectRate: a.config.Devices.Limits.ConnectRatePerDevice, Log: a.log,
	})
	var err error
	if a.certs, err = newCertificates(a.config.TLS, a.config.path("tls"), a.publicHost(), a.log); err != nil {
		return err
	}
	a.doors = devicehttp.New(a.log)
	a.broker, err = broker.New(broker.Options{
		Rules: a.gate, Store: a.sessions, Log: a.log, HTTP: a.doors, TLS: a.certs.config(), Proxies: prefixes(a.config.Devices.ProxyProtocol),
		Limits: a.config.Devices.broker(),
	})
	if err != nil {
		return err
	}
	a.commands = command.New(command.Options{
		Registry: a.registry, Dialects: a.dialects, Broker: a.broker, Feed: a.feed, Trace: recorder, Log: a.log,
	})
	a.topology = topology.New(topology.Options{
		Registry: a.registry, Dialects: a.dialects, Broker: a.broker, Push: a.commands, Statuses: a.feed, Store: a.db, Room: a.disk.room, Trace: recorder, Log: a.log,
	})
	a.scripts = script.New(script.Options{Store: a.db, Worker: scriptWorker, Log: a.log})
	a.topics = topics.New(a.db, nil)
	in.Scripts, in.Topics, a.gate.Topics, in.Networks = a.scripts, a.topics, a.topics, a.db
	a.commands.Scripts, a.commands.Publisher = a.scripts, a.broker
	a.commands.Gateways, a.gate.Gateways, in.Gateways = a.topology, a.topology, a.topology
	in.Sender, in.Commands = a.broker, a.commands
	a.streams(in)
	ingest.Handle(in, a.commands.Answered)
	ingest.Handle(in, a.topology.Add)
	ingest.Handle(in, a.topology.Delete)
	ingest.Handle(in, a.topology.Get)
	ingest.Handle(in, a.topology.Find)
	ingest.Handle(in, a.topology.Register)
	ingest.Handle(in, a.topology.Unregister)
	ingest.Handle(in, a.topology.ProxyRegister)
	ingest.Handle(in, a.topology.Login)
	ingest.Handle(in, a.topology.Logout)
	a.keepers(in, recorder)
	a.enroll = enroll.New(enroll.Options{Registry: a.registry, Store: a.db, Log: a.log})
	a.gate.Enrolments, a.gate.Sender, a.topology.Enroll = a.enroll, a.broker, a.enroll
	httpgate.New(httpgate.Options{
		Gate: a.gate, Uplinks: in, Router: a.broker, Registry: a.registry, Host: a.publicHost(), Port: port(a.devices[0]), Log: a.log,
	}, a.doors)
	if err := a.openUpgrades(in, recorder); err != nil {
		return err
	}
	if err := a.openFiles(in, recorder); err != nil {
		return err
	}
	a.coap = a.newCoAP(in)
	a.registry.OnChange(a.changed)
	a.bench = a.newBench()
	a.api, err = httpapi.New(httpapi.Options{
		Console:  console.Handler(),
		Proxies:  a.config.API.proxies(),
		Registry: a.registry, History: a.history, Commands: a.commands, Images: a.images, Topology: a.topology, Scripts: a.scripts, Topics: a.topics, Timeline: a.timeline, Feed: a.feed, OTA: a.upgrades, Files: a.files,
		Broker: a.broker, Gate: a.gate, Access: a.access, Audit: audit.New(audit.Options{Store: a.db, Log: a.log}), Enroll: a.enroll, Dialects: a.dialects, Version: a.version, Log: a.log,
		Shadows: a.shadows, Configs: a.configs, Logs: a.logs, Networks: a.db, Bench: a.bench,
		Layers: layers.New(layers.Options{
			Registry: a.registry, Records: a.feed, History: a.history, Timeline: a.timeline, Dialects: a.dialects, Others: a.topology, Lines: a.spoken,
		}),
		PublicHost: a.publicHost(), PublicPort: port(a.devices[0]), Started: a.started,
		RootCertificate: a.rootCertificate(), Ready: a.disk.room, Disk: a.disk.use, Settings: a.shownSettings, Measure: a.coap.Measure,
	})
	return err
}

// changed ends the connections of devices that may no longer be here.
func (a *App) changed(c registry.Change) {
	session := c.ID.String()
	a.topology.Changed(c)
	switch c.Kind {
	case registry.DeviceDisabled, registry.DeviceSecretReset:
		a.broker.Disconnect(session, mqtt.AdministrativeAction)
		a.coap.Forget(dialect.Claim{Product: c.ID.Product, Device: c.ID.Device})
	case registry.DeviceDeleted:
		a.coap.Forget(dialect.Claim{Product: c.ID.Product, Device: c.ID.Device})
		a.broker.Disconnect(session, mqtt.AdministrativeAction)
		a.broker.Forget(session)
		a.timeline.Forget(c.ID.Product, c.ID.Device)
		if err := a.history.Forget(context.Background(), c.ID.Product, c.ID.Device); err != nil {
			a.log.Error("history of a deleted device", "device", session, "error", err)
		}
		a.forgetFiles(c.ID)
	case registry.ProductDeleted:
		a.forgetFiles(c.ID)
		a.scripts.Forget(c.ID.Product)
		a.topics.Forget(c.ID.Product)
		if err := a.upgrades.Forget(context.Background(), c.ID.Product); err != nil {
			a.log.Error("packages of a deleted product; they go at the next start", "product", c.ID.Product, "error", err)
		}
	}
}

// serve runs all parts until ctx is done or one of them fails, then stops
// them: listeners and connections first, then what drains, stores last.
func (a *App) serve(ctx context.Context) error {
	// The drains outlive the door: what connections handed in is still kept.
	drainCtx, stopDrains := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDrains()
	drains, drainCtx := errgroup.WithContext(drainCtx)
	drains.Go(func() error { return a.feed.Run(drainCtx) })
	drains.Go(func() error { return a.history.Run(drainCtx, a.feed) })
	drains.Go(func() error { return a.registry.Run(drainCtx) })
	drains.Go(func() error { return a.commands.Run(drainCtx) })
	drains.Go(func() error { return a.upgrades.Run(drainCtx) })
	drains.Go(func() error { return a.files.Run(drainCtx) })
	drains.Go(func() error { return quiet(drainCtx) })
	drains.Go(func() error { return a.checkRegistry(drainCtx) })

	door, doorCtx := errgroup.WithContext(ctx)
	door.Go(func() error { // a drain that fails closes the door
		select {
		case <-drainCtx.Done():
			return errors.New("a store failed")
		case <-doorCtx.Done():
			return nil
		}
	})
	door.Go(func() error { return a.broker.Run(doorCtx) })
	// The end of its context would cut connections off, before Shutdown can
	// say good-bye to them: that one ends Serve.
	serveCtx, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	for _, ln := range a.devices {
		door.Go(func() error { return a.broker.Serve(serveCtx, ln) })
	}
	a.serveCoAP(doorCtx, door)
	door.Go(func() error { return a.serveAPI(doorCtx) })
	door.Go(func() error { return a.bench.Run(doorCtx) })
	door.Go(func() error { return a.reloader().run(doorCtx) })
	a.announce()
	if a.config.Demo {
		door.Go(func() error { return a.demo(doorCtx) })
	}
	door.Go(func() error {
		<-doorCtx.Done()
		a.log.Info("stopping")
		stop, cancel := context.WithTimeout(context.WithoutCancel(doorCtx), drainTime)
		defer cancel()
		return a.broker.Shutdown(stop)
	})
	err := door.Wait()
	stopDrains()
	if drainErr := drains.Wait(); drainErr != nil && !errors.Is(drainErr, context.Canceled) {
		err = drainErr
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (a *App) reloader() *reloader {
	return &reloader{Reload: a.reload, certs: a.certs, broker: a.broker, gate: a.gate, coap: a.coap, rules: &a.rules, log: a.log, force: a.config}
}

// checkRegistry looks once whether the database is whole, while the server
// works already.
func (a *App) checkRegistry(ctx context.Context) error {
	if err := a.db.Check(ctx); err != nil && ctx.Err() == nil {
		a.log.Error("the database of products and devices is damaged; restore it from a backup before more is lost",
			"file", a.config.path("registry.db"), "error", err)
	}
	return nil
}

func (a *App) serveAPI(ctx context.Context) error {
	s := &http.Server{
		Handler:           a.api,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx }, // event streams end with the server
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	ended := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		defer close(ended)
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		s.Shutdown(stop)
	})()
	if err := s.Serve(a.apiListen); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the API: %w", err)
	}
	<-ended
	return nil
}

// close closes what was opened, in reverse.
func (a *App) close() {
	for _, ln := range append(a.devices, a.apiListen) {
		if ln != nil {
			ln.Close()
		}
	}
	for _, conn := range append(a.datagrams, a.secure...) {
		conn.Close()
	}
	var errs []error
	if a.scripts != nil {
		a.scripts.Close()
	}
	if a.lock != nil { // else it is another server's
		os.Remove(a.config.path(runFile))
	}
	if a.stream != nil {
		errs = append(errs, a.stream.Close())
	}
	if a.sessions != nil {
		errs = append(errs, a.sessions.Close())
	}
	if a.series != nil {
		errs = append(errs, a.series.Close())
	}
	if a.db != nil {
		errs = append(errs, a.db.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		a.log.Error("closing the stores", "error", err)
	}
}
