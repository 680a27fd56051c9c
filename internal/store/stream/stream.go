// Package stream keeps the feed in an embedded NATS JetStream: in this
// process, with a file store that syncs every write. A cluster is the same
// code with another connection.
package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	streamName = "MATOU_FEED"
	subject    = "matou.feed"
	startTime  = 30 * time.Second
	appendTime = 5 * time.Second // a write that takes longer counts as failed
)

// Options bound what is kept. Zero values mean no bound.
type Options struct {
	Keep     time.Duration
	MaxBytes int64
	Room     func() error // why nothing may be written now; nil: write always
	Log      *slog.Logger
}

// A Log implements feed.Log. Any number of goroutines may use it at once.
type Log struct {
	dir     string
	options Options

	mu      sync.RWMutex // held for writing while the server is replaced
	running *running     // nil when it could not be started again
}

// A running is the embedded server with the stream in it.
type running struct {
	server *server.Server
	conn   *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
}

// Open starts the embedded server on a directory and opens the stream in it.
func Open(dir string, o Options) (*Log, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r, err := start(dir, o)
	if err != nil {
		return nil, err
	}
	r.reportLoss(dir, o.Log)
	return &Log{dir: dir, options: o, running: r}, nil
}

func start(dir string, o Options) (*running, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "matou", DontListen: true, JetStream: true, StoreDir: dir, SyncAlways: true,
		NoLog: true, NoSigs: true, JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: maxStore(o.MaxBytes),
		MaxPayload: maxBatch,
	})
	if err != nil {
		return nil, fmt.Errorf("open feed %s: %w", dir, err)
	}
	s.SetLoggerV2(voice{o.Log}, false, false, false)
	r := &running{server: s}
	go s.Start()
	if !s.ReadyForConnections(startTime) {
		r.stop()
		return nil, fmt.Errorf("open feed %s: the embedded server did not start within %v", dir, startTime)
	}
	if r.conn, err = nats.Connect("", nats.InProcessServer(s), nats.MaxReconnects(-1)); err != nil {
		r.stop()
		return nil, fmt.Errorf("open feed %s: %w", dir, err)
	}
	if r.js, err = jetstream.New(r.conn); err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), startTime)
		defer cancel()
		r.stream, err = r.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: streamName, Subjects: []string{subject}, Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy,
			Discard: jetstream.DiscardOld, MaxAge: o.Keep, MaxBytes: maxBytes(o.MaxBytes), AllowDirect: true,
		})
	}
	if err != nil {
		r.stop()
		return nil, fmt.Errorf("open feed %s: %w", dir, err)
	}
	return r, nil
}

func (r *running) stop() {
	if r.conn != nil {
		r.conn.Close()
	}
	r.server.Shutdown()
	r.server.WaitForShutdown()
}

// maxBatch is the largest batch that the server takes; the feed's own are
// smaller by far, but for a single huge record.
const maxBatch = 8 << 20

func maxBytes(n int64) int64 {
	if n <= 0 {
		return -1
	}
	return n
}

// maxStore leaves the server room beyond the stream's own bound.
func maxStore(n int64) int64 {
	if n <= 0 {
		return 1 << 50
	}
	return 2 * n
}

// Append keeps a batch; when it returns, the batch is synced. After a failed
// write the stream takes nothing any more, even on a disk that has room again:
// the next Append starts the server anew.
func (l *Log) Append(ctx context.Context, batch []byte) (uint64, error) {
	if l.options.Room != nil {
		if err := l.options.Room(); err != nil {
			return 0, err
		}
	}
	l.mu.RLock()
	r := l.running
	var err error
	if r != nil {
		var seq uint64
		if seq, err = r.append(ctx, batch); err == nil {
			l.mu.RUnlock()
			return seq, nil
		}
	}
	l.mu.RUnlock()
	if r == nil || ctx.Err() == nil {
		err = errors.Join(err, l.restart(r))
	}
	if err == nil { // it could not be started before, and runs now
		return l.Append(ctx, batch)
	}
	return 0, err
}

func (r *running) append(ctx context.Context, batch []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, appendTime)
	defer cancel()
	ack, err := r.js.Publish(ctx, subject, batch)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// restart replaces the server, unless somebody else has.
func (l *Log) restart(failed *running) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running != failed {
		return nil
	}
	if failed != nil {
		failed.stop()
	}
	var err error
	l.running, err = start(l.dir, l.options)
	return err
}

// errDown says that the stream could not be started again.
var errDown = errors.New("the stream is down until something can be written again")

// Read returns the first batch behind after, io.EOF where there is none.
func (l *Log) Read(ctx context.Context, after uint64) (uint64, []byte, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	r := l.running
	if r == nil {
		return 0, nil, errDown
	}
	// With the subject the server looks for the next one there is: retention,
	// or a damaged file, may have taken what was asked for.
	m, err := r.stream.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(subject))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil, io.EOF
	}
	if err != nil {
		return 0, nil, err
	}
	return m.Sequence, m.Data, nil
}

// Close stops the server; what was acknowledged is on disk already.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running != nil {
		l.running.stop()
		l.running = nil
	}
	return nil
}
