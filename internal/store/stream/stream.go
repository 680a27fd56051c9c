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
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	streamName = "MATOU_FEED"
	subject    = "matou.feed"
	startTime  = 30 * time.Second
)

// Options bound what is kept. Zero values mean no bound.
type Options struct {
	Keep     time.Duration
	MaxBytes int64
	Log      *slog.Logger
}

// A Log implements feed.Log. Any number of goroutines may use it at once.
type Log struct {
	server *server.Server
	conn   *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
}

// Open starts the embedded server on a directory and opens the stream in it.
func Open(dir string, o Options) (*Log, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "matou", DontListen: true, JetStream: true, StoreDir: dir, SyncAlways: true,
		NoLog: true, NoSigs: true, JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: maxStore(o.MaxBytes),
		MaxPayload: maxBatch,
	})
	if err != nil {
		return nil, fmt.Errorf("open feed %s: %w", dir, err)
	}
	l := &Log{server: s}
	go s.Start()
	if !s.ReadyForConnections(startTime) {
		l.Close()
		return nil, fmt.Errorf("open feed %s: the embedded server did not start within %v", dir, startTime)
	}
	if l.conn, err = nats.Connect("", nats.InProcessServer(s), nats.MaxReconnects(-1)); err != nil {
		l.Close()
		return nil, fmt.Errorf("open feed %s: %w", dir, err)
	}
	if l.js, err = jetstream.New(l.conn); err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), startTime)
		defer cancel()
		l.stream, err = l.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: streamName, Subjects: []string{subject}, Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy,
			Discard: jetstream.DiscardOld, MaxAge: o.Keep, MaxBytes: maxBytes(o.MaxBytes), AllowDirect: true,
		})
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("open feed %s: %w", dir, err)
	}
	return l, nil
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

// Append keeps a batch; when it returns, the batch is synced.
func (l *Log) Append(ctx context.Context, batch []byte) (uint64, error) {
	ack, err := l.js.Publish(ctx, subject, batch)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// Read returns the first batch behind after, io.EOF where there is none.
func (l *Log) Read(ctx context.Context, after uint64) (uint64, []byte, error) {
	m, err := l.stream.GetMsg(ctx, after+1)
	if err == nil {
		return m.Sequence, m.Data, nil
	}
	if !errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil, err
	}
	// Either the end, or retention took what was asked for.
	info, err := l.stream.Info(ctx)
	if err != nil {
		return 0, nil, err
	}
	if info.State.Msgs == 0 || info.State.LastSeq <= after || info.State.FirstSeq <= after+1 {
		return 0, nil, io.EOF
	}
	m, err = l.stream.GetMsg(ctx, info.State.FirstSeq)
	if err != nil {
		return 0, nil, err
	}
	return m.Sequence, m.Data, nil
}

// Close stops the server; what was acknowledged is on disk already.
func (l *Log) Close() error {
	if l.conn != nil {
		l.conn.Close()
	}
	if l.server != nil {
		l.server.Shutdown()
		l.server.WaitForShutdown()
	}
	return nil
}
