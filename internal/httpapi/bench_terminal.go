package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/danielgtaylor/huma/v2"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/bench"
	"github.com/matou-iot/matou/internal/fault"
)

const (
	maxTyped     = 16 << 10 // bytes of one frame from a terminal; a larger one ends it
	terminalPing = 20 * time.Second
)

// terminal registers the WebSocket of a module's serial line: binary frames are
// its bytes, both ways; text frames are events, one JSON object each.
func (a *api) terminal(path string, need access.Role) {
	op := operation("GET", path, need, "Bench", "The serial line of a module, a WebSocket: binary frames are bytes, text frames from the server are events")
	op.Description += " Pages of other sites are refused."
	op.Middlewares = huma.Middlewares{a.authorize(need)}
	op.Responses = map[string]*huma.Response{"101": {Description: "The WebSocket"}}
	huma.Register(a.huma, op, func(ctx context.Context, in *BenchModulePath) (*huma.StreamResponse, error) {
		m, err := a.Bench.Module(in.Module)
		if err != nil {
			return nil, a.problemOf(ctx, err)
		}
		asker := who(ctx)
		return &huma.StreamResponse{Body: func(c huma.Context) {
			r, w := request(c)
			if err := sameSite(r); err != nil {
				a.deny(c, err)
				return
			}
			conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
			if err != nil {
				return // it has said why
			}
			ctx, end := a.whileAllowed(c.Context(), asker, need)
			defer end()
			a.attach(ctx, m, conn)
		}}, nil
	})
}

// sameSite refuses what a page of another site opened: browsers say where a
// WebSocket comes from, and send cookies along.
func sameSite(r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil // no browser
	}
	if u, err := url.Parse(origin); err != nil || !strings.EqualFold(u.Host, r.Host) {
		return fault.Forbidden("this request comes from another site: only the console may open a terminal")
	}
	return nil
}

// attach lasts as long as the terminal.
func (a *api) attach(ctx context.Context, m *bench.Module, conn *websocket.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer conn.CloseNow()
	conn.SetReadLimit(maxTyped)
	line := &socketLine{ctx: ctx, end: cancel, conn: conn}
	pinging := make(chan struct{})
	go func() {
		defer close(pinging)
		line.ping(cancel)
	}()
	err := m.Attach(ctx, line, line.tell)
	cancel()
	<-pinging
	switch {
	case fault.KindOf(err) == fault.KindConflict:
		conn.Close(websocket.StatusTryAgainLater, languageIn(ctx).sentence(err))
	case err != nil:
		a.Log.Debug("terminal ended", "module", m.ID, "error", err)
	}
}

// A socketLine is a serial line over a WebSocket.
type socketLine struct {
	ctx  context.Context
	end  context.CancelFunc
	conn *websocket.Conn
	rest []byte // of the frame that is being read
}

func (l *socketLine) Read(b []byte) (int, error) {
	for len(l.rest) == 0 {
		_, frame, err := l.conn.Read(l.ctx)
		if status := websocket.CloseStatus(err); status != -1 || errors.Is(err, io.EOF) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		l.rest = frame
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func (l *socketLine) Write(b []byte) (int, error) {
	if err := l.write(websocket.MessageBinary, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (l *socketLine) write(kind websocket.MessageType, b []byte) error {
	ctx, cancel := context.WithTimeout(l.ctx, writeTimeout)
	defer cancel()
	return l.conn.Write(ctx, kind, b)
}

func (l *socketLine) tell(e bench.Event) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return l.write(websocket.MessageText, text)
}

// Close ends reading and writing; attach says good-bye where there is a reason.
func (l *socketLine) Close() error {
	l.end()
	return nil
}

// ping finds out whether the page is still there.
func (l *socketLine) ping(gone func()) {
	tick := time.NewTicker(terminalPing)
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
			ctx, cancel := context.WithTimeout(l.ctx, writeTimeout)
			err := l.conn.Ping(ctx)
			cancel()
			if err != nil {
				gone()
				return
			}
		}
	}
}
