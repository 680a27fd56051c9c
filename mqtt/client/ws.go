package client

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Limits of the WebSocket framing.
const (
	maxHandshake = 16 << 10  // bytes of the server's answer to the upgrade
	maxFrame     = 256 << 20 // payload of one frame; an MQTT packet is never larger [MQTT5 §2.1.4]
	maxControl   = 125       // payload of a control frame [RFC 6455 §5.5]
)

// The opcodes [RFC 6455 §5.2].
const (
	opContinuation byte = 0x0
	opText         byte = 0x1
	opBinary       byte = 0x2
	opClose        byte = 0x8
	opPing         byte = 0x9
	opPong         byte = 0xA
)

// closeNormal is the status of an orderly end [RFC 6455 §7.4.1].
const closeNormal uint16 = 1000

// subprotocol is the name MQTT has inside WebSocket [MQTT5-6.0.0-3].
const subprotocol = "mqtt"

// acceptSuffix is joined to the key before hashing [RFC 6455 §1.3].
const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// A CloseError is what Read returns when the server closed the WebSocket with
// another status than 1000 (which reads as io.EOF) [RFC 6455 §7.4].
type CloseError struct {
	Code   uint16 // 1005 where the server gave none
	Reason string
}

func (e *CloseError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("websocket closed with status %d", e.Code)
	}
	return fmt.Sprintf("websocket closed with status %d: %s", e.Code, e.Reason)
}

// upgrade makes conn, on which nothing was said yet, a WebSocket client
// connection for MQTT [RFC 6455 §4.1] [MQTT5 §6]. On failure conn is left for
// the caller to close.
func upgrade(ctx context.Context, conn net.Conn, u *url.URL) (net.Conn, error) {
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	var nonce [16]byte
	rand.Read(nonce[:])
	key := base64.StdEncoding.EncodeToString(nonce[:])
	target := &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	if target.Path == "" {
		target.Path = "/mqtt"
	}
	req := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
		target.RequestURI(), u.Host, key, subprotocol)
	if _, err := io.WriteString(conn, req); err != nil {
		return nil, fmt.Errorf("websocket upgrade: %w", err)
	}
	limited := &io.LimitedReader{R: conn, N: maxHandshake}
	br := bufio.NewReader(limited)
	resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodGet})
	if err != nil {
		return nil, fmt.Errorf("websocket upgrade: %w", err)
	}
	if err := checkUpgrade(resp, key); err != nil {
		return nil, fmt.Errorf("websocket upgrade: %w", err)
	}
	limited.N = math.MaxInt64
	return &wsConn{Conn: conn, r: br}, nil
}

// checkUpgrade judges the server's answer [RFC 6455 §4.1].
func checkUpgrade(resp *http.Response, key string) error {
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the server answered %q instead of 101", resp.Status)
	}
	if !strings.EqualFold(resp.Header.Get("Upgrade"), "websocket") ||
		!hasToken(resp.Header.Values("Connection"), "upgrade") {
		return errors.New("the answer lacks Upgrade: websocket or Connection: Upgrade")
	}
	sum := sha1.Sum([]byte(key + acceptSuffix))
	if resp.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) {
		return errors.New("the answer's Sec-WebSocket-Accept does not fit our key")
	}
	if p := resp.Header.Get("Sec-WebSocket-Protocol"); p != "" && p != subprotocol {
		return fmt.Errorf("the server chose subprotocol %q, not %q", p, subprotocol)
	}
	if resp.Header.Get("Sec-WebSocket-Extensions") != "" {
		return errors.New("the server chose an extension that was not offered")
	}
	return nil
}

func hasToken(values []string, token string) bool {
	for _, v := range values {
		for t := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}

// A wsConn is a stream of bytes inside binary frames: each Write is one
// frame, Read takes frames and fragments as they come, for MQTT packets need
// not fit frames [MQTT5-6.0.0-2]. One goroutine may read while another writes.
type wsConn struct {
	net.Conn
	r *bufio.Reader

	// Read's alone.
	left    int64 // payload bytes of the current frame not yet read
	message bool  // inside a fragmented message
	err     error // why nothing more can be read

	mu     sync.Mutex // guards writing: Read answers pings too
	buf    []byte
	closed bool // a close frame was sent
}

// Read returns io.EOF after an orderly close and *CloseError after another.
func (c *wsConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for c.err == nil && c.left == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if n > 0 {
		c.err, err = err, nil
	}
	return n, err
}

// next reads frame headers until data comes, and answers control frames.
func (c *wsConn) next() error {
	var h [2]byte
	if _, err := io.ReadFull(c.r, h[:]); err != nil {
		return err
	}
	final, op := h[0]&0x80 != 0, h[0]&0x0F
	if h[0]&0x70 != 0 {
		return errors.New("websocket: reserved bits set [RFC 6455 §5.2]")
	}
	if h[1]&0x80 != 0 {
		return errors.New("websocket: masked frame from a server [RFC 6455 §5.1]")
	}
	n, err := c.length(h[1] & 0x7F)
	if err != nil {
		return err
	}
	if op >= opClose {
		return c.control(op, final, n)
	}
	switch {
	case op == opContinuation && !c.message:
		return errors.New("websocket: continuation without a beginning [RFC 6455 §5.4]")
	case op != opContinuation && c.message:
		return errors.New("websocket: new message inside a fragmented one [RFC 6455 §5.4]")
	case op == opText:
		return errors.New("websocket: text frame [MQTT5-6.0.0-1]")
	case op > opBinary:
		return fmt.Errorf("websocket: unknown opcode %d [RFC 6455 §5.2]", op)
	case n > maxFrame:
		return fmt.Errorf("websocket: frame of %d bytes, more than %d", n, maxFrame)
	}
	c.message, c.left = !final, int64(n)
	return nil
}

// length reads the rest of a payload length [RFC 6455 §5.2].
func (c *wsConn) length(short byte) (uint64, error) {
	var b [8]byte
	switch short {
	case 126:
		_, err := io.ReadFull(c.r, b[:2])
		return uint64(binary.BigEndian.Uint16(b[:])), unexpected(err)
	case 127:
		_, err := io.ReadFull(c.r, b[:])
		return binary.BigEndian.Uint64(b[:]), unexpected(err)
	}
	return uint64(short), nil
}

// control answers a ping, takes a close to its end and ignores a pong
// [RFC 6455 §5.5].
func (c *wsConn) control(op byte, final bool, n uint64) error {
	if !final || n > maxControl {
		return errors.New("websocket: control frame fragmented or too long [RFC 6455 §5.5]")
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(c.r, payload); err != nil {
		return unexpected(err)
	}
	switch op {
	case opPing:
		return c.write(opPong, payload)
	case opPong:
		return nil
	case opClose:
		code, reason := uint16(1005), ""
		if n >= 2 {
			code, reason = binary.BigEndian.Uint16(payload), string(payload[2:])
		}
		c.sendClose(closeNormal)
		if code == closeNormal || code == 1005 {
			return io.EOF
		}
		return &CloseError{code, reason}
	}
	return fmt.Errorf("websocket: unknown opcode %d [RFC 6455 §5.2]", op)
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Write sends p as one binary frame.
func (c *wsConn) Write(p []byte) (int, error) {
	if err := c.write(opBinary, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (c *wsConn) write(op byte, p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	return c.writeLocked(op, p)
}

// writeLocked masks p, as every client must [RFC 6455 §5.3].
func (c *wsConn) writeLocked(op byte, p []byte) error {
	b := append(c.buf[:0], 0x80|op)
	switch {
	case len(p) <= 125:
		b = append(b, 0x80|byte(len(p)))
	case len(p) <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(len(p)))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(len(p)))
	}
	var mask [4]byte
	rand.Read(mask[:])
	b = append(b, mask[:]...)
	start := len(b)
	b = append(b, p...)
	for i := range p {
		b[start+i] ^= mask[i&3]
	}
	if cap(b) <= 64<<10 {
		c.buf = b // a big one is not kept
	}
	_, err := c.Conn.Write(b)
	return err
}

// sendClose says goodbye once; errors do not matter any more.
func (c *wsConn) sendClose(code uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.writeLocked(opClose, binary.BigEndian.AppendUint16(nil, code))
		c.closed = true
	}
}

// closeTimeout is how long Close tries to say goodbye.
const closeTimeout = time.Second

// Close sends a close frame, waiting at most a second, and closes the
// connection below. A Write that is stuck is broken off by it.
func (c *wsConn) Close() error {
	c.Conn.SetWriteDeadline(time.Now().Add(closeTimeout))
	c.sendClose(closeNormal)
	return c.Conn.Close()
}
