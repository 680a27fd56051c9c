package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/wording"
)

// apiFlags say which Matou to speak to, and who asks.
type apiFlags struct {
	Server string `group:"Matou" help:"Address of the API; left out, that of the Matou in the data directory." env:"MATOU_SERVER" placeholder:"URL"`
	Token  string `group:"Matou" help:"Access token; left out, the one in the data directory." env:"MATOU_TOKEN" placeholder:"TOKEN"`
	Data   string `group:"Matou" help:"Data directory of a Matou on this machine; left out, matou-data." env:"MATOU_DATA" placeholder:"DIR"`
}

// What is used where nobody says otherwise.
const (
	usualServer = "http://127.0.0.1:7080"
	usualData   = "matou-data"
	tokenFile   = "local.token" // in the data directory, written by serve
	runFile     = "run.json"    // likewise: where it is, while it runs
)

// The bounds of a conversation with the API.
const (
	patience    = 2 * time.Minute // for a whole answer, beyond what the request itself waits for
	maxAnswer   = 256 << 20       // bytes of one
	maxRefusal  = 1 << 20         // bytes of one
	restBase    = "/api/v1"
	jsonContent = "application/json"
)

// A rest speaks to the API of one Matou.
type rest struct {
	ctx   context.Context
	base  *url.URL
	token string
	lack  error  // why there is no token, nil where there is one
	lang  string // in which refusals are told
}

// open finds the server and the token; nothing is sent yet.
func (f *apiFlags) open(g *globals) (*rest, error) {
	server := f.Server
	if server == "" {
		server = f.localServer()
	}
	base, err := serverURL(server)
	if err != nil {
		return nil, err
	}
	r := &rest{ctx: g.Ctx, base: base, token: strings.TrimSpace(f.Token), lang: g.tag()}
	if r.token == "" {
		r.token, r.lack = f.localToken(base)
	}
	return r, nil
}

func serverURL(text string) (*url.URL, error) {
	if text == "" {
		text = usualServer
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" {
		return nil, usagef("--server %q is no address: write for instance %s", text, usualServer)
	}
	return u, nil
}

// localServer is where the Matou of the data directory says that it is, "" if
// none says so.
func (f *apiFlags) localServer() string {
	dir := f.Data
	if dir == "" {
		dir = usualData
	}
	raw, err := os.ReadFile(filepath.Join(dir, runFile))
	var running struct {
		API string `json:"api"`
	}
	if err != nil || json.Unmarshal(raw, &running) != nil {
		return "" // a file that was cut off says nothing
	}
	return running.API
}

// localToken reads the token of a Matou on this machine. It is not shown to
// other machines, except where the data directory was named for that.
func (f *apiFlags) localToken(base *url.URL) (token string, lack error) {
	dir := f.Data
	if dir == "" {
		if !isLoopback(base.Hostname()) {
			return "", wording.Errorf("none was given")
		}
		dir = usualData
	}
	file := filepath.Join(dir, tokenFile)
	raw, err := os.ReadFile(file)
	token = strings.TrimSpace(string(raw))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", wording.Errorf("none was given, and there is no %s", file)
	case err != nil:
		return "", wording.Errorf("none was given, and %w", err)
	case token == "":
		return "", wording.Errorf("none was given, and %s is empty", file)
	}
	return token, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// at is a path below the API's base; each part is one segment.
func at(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// A question is one request.
type question struct {
	method, path string
	query        url.Values
	body         []byte
	stream       io.Reader // a body in place of body, of length bytes, -1 for what is not known
	length       int64
	content      string // its type
	accept       string
}

// send asks and returns an answer of success, whose body the caller closes.
func (r *rest) send(ctx context.Context, q question) (*http.Response, error) {
	address := r.base.String() + restBase + q.path
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	var body io.Reader
	if q.body != nil {
		body = bytes.NewReader(q.body)
	}
	if q.stream != nil {
		body = q.stream
	}
	req, err := http.NewRequestWithContext(ctx, q.method, address, body)
	if err != nil {
		return nil, err
	}
	if q.stream != nil {
		req.ContentLength = q.length
	}
	req.Header.Set("User-Agent", "matou/"+version)
	req.Header.Set("Accept-Language", r.lang)
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if body != nil {
		req.Header.Set("Content-Type", q.content)
	}
	if q.accept != "" {
		req.Header.Set("Accept", q.accept)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, r.unreachable(err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, r.refusal(resp)
}

// raw asks and returns the bytes of the answer.
func (r *rest) raw(q question, wait time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(r.ctx, patience+wait)
	defer cancel()
	resp, err := r.send(ctx, q)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(b) > maxAnswer {
		err = fmt.Errorf("it is longer than %d bytes", maxAnswer)
	}
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", r.base, err)
	}
	return b, nil
}

// call asks with a JSON body, where in is not nil, and reads the answer into
// out, where that is not nil.
func (r *rest) call(method, path string, query url.Values, in, out any) error {
	return r.patiently(0, method, path, query, in, out)
}

// patiently is call where the server itself waits before it answers.
func (r *rest) patiently(wait time.Duration, method, path string, query url.Values, in, out any) error {
	q := question{method: method, path: path, query: query, accept: jsonContent, content: jsonContent}
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		q.body = b
	}
	b, err := r.raw(q, wait)
	if err != nil || out == nil {
		return err
	}
	return r.read(b, out)
}

func (r *rest) read(b []byte, out any) error {
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%s does not answer as Matou does: %w", r.base, err)
	}
	return nil
}

// unreachable says what somebody can do who gets no answer.
func (r *rest) unreachable(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // without the whole URL
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return wording.Errorf("no answer at %s: %w\nIs Matou running? Start it with `matou serve`, or name it with --server, or its data directory with --data", r.base, op.Err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return wording.Errorf("no answer from %s in time", r.base)
	}
	return wording.Errorf("no answer from %s: %w", r.base, err)
}

// A rejection is an answer that is none of success [RFC 9457].
type rejection struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`

	hint error
}

// Error is the sentence for people, then a line for each field.
func (e *rejection) Error() string { return e.say(error.Error) }

// SentenceZH is the same where the API was asked for Chinese.
func (e *rejection) SentenceZH() string { return e.say(wording.Chinese) }

func (e *rejection) say(in func(error) string) string {
	var b strings.Builder
	b.WriteString(visible(e.Detail))
	for _, f := range e.Errors {
		where := strings.TrimPrefix(f.Location, "body.")
		switch {
		case f.Message != e.Detail:
			fmt.Fprintf(&b, "\n  %s: %s", visible(where), visible(f.Message))
		case where != "":
			fmt.Fprintf(&b, " (%s)", visible(where))
		}
	}
	if e.hint != nil {
		b.WriteString("\n" + in(e.hint))
	}
	return b.String()
}

func (r *rest) refusal(resp *http.Response) error {
	e := &rejection{Status: resp.StatusCode}
	b, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // what came is good enough
	isProblem := strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json")
	if !isProblem || json.Unmarshal(b, e) != nil || e.Detail == "" && e.Title == "" {
		e.Detail = fmt.Sprintf("%s answers %s, but not as Matou does: is that its address?", r.base, resp.Status)
	}
	if e.Detail == "" {
		e.Detail = e.Title
	}
	e.Status = resp.StatusCode
	if e.Status == http.StatusUnauthorized {
		e.hint = r.howToSignIn()
	}
	return e
}

func (r *rest) howToSignIn() error {
	if r.lack != nil {
		return wording.Errorf("No access token: %w.\nGive one with --token or MATOU_TOKEN, or name the data directory of a Matou on this machine with --data", r.lack)
	}
	return wording.Errorf("The access token was not accepted. Give another with --token or MATOU_TOKEN, or name the data directory of this Matou with --data")
}
