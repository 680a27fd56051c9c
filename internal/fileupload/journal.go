package fileupload

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"
)

// A head is what there is to know of an upload that is not whole yet.
type head struct {
	ID      string    `json:"id"`
	Product string    `json:"product"`
	Device  string    `json:"device"`
	Name    string    `json:"name"`
	Size    int64     `json:"size"` // dialect.UnknownSize: its last block says
	Check   string    `json:"check,omitempty"`
	Key     string    `json:"key,omitempty"`
	BegunAt time.Time `json:"begunAt"`
}

// A journal is the file of an upload under way: frames of a length, a CRC-32C
// and as many bytes, of which the first holds the head as JSON and each other
// a block. What was written last may be cut off by a crash; then its frame is
// not whole, and the upload ends before it.
type journal struct {
	path string
	end  int64 // of the frames that are whole
	size int64 // bytes of the blocks
	last mark  // the last block
}

// A mark tells a block that is sent again from another one.
type mark struct {
	offset int64
	size   int
	sum    uint32
}

// The bounds of frames.
const (
	frameHead  = 8
	maxHead    = 4 << 10
	maxContent = 1 << 20 // of a block
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errCut is of a file that ends within a frame, or holds another than was
// written.
var errCut = errors.New("the frame is not whole")

func appendFrame(dst, content []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(content)))
	dst = binary.BigEndian.AppendUint32(dst, crc32.Checksum(content, castagnoli))
	return append(dst, content...)
}

// readFrame reads the frame that comes next into buf. The error is io.EOF at
// the end, errCut for a frame that is not whole, or that of r.
func readFrame(r io.Reader, buf []byte) (content []byte, err error) {
	var h [frameHead]byte
	if n, err := io.ReadFull(r, h[:]); err != nil {
		if n > 0 && errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errCut
		}
		return nil, err
	}
	n := binary.BigEndian.Uint32(h[:])
	if n > maxContent {
		return nil, errCut
	}
	if int(n) > cap(buf) {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(r, buf); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errCut
	} else if err != nil {
		return nil, err
	}
	if crc32.Checksum(buf, castagnoli) != binary.BigEndian.Uint32(h[4:]) {
		return nil, errCut
	}
	return buf, nil
}

// readHead reads the head of a journal. The error is errCut for what is none.
func readHead(r io.Reader) (h head, end int64, err error) {
	content, err := readFrame(io.LimitReader(r, frameHead+maxHead), nil)
	if errors.Is(err, io.EOF) || err == nil && json.Unmarshal(content, &h) != nil {
		err = errCut
	}
	return h, int64(frameHead + len(content)), err
}

// begin makes the file of an upload, durably but for its name.
func begin(path string, h head) (*journal, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	frame := appendFrame(nil, text)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(frame)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(path)
		return nil, err
	}
	return &journal{path: path, end: int64(len(frame))}, nil
}

// headOf reads what an upload is, and nothing of what came of it.
func headOf(path string) (head, error) {
	f, err := os.Open(path)
	if err != nil {
		return head{}, err
	}
	defer f.Close()
	h, _, err := readHead(f)
	return h, err
}

// resume reads what is there of an upload after a restart.
func resume(path string) (*journal, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_, end, err := readHead(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	j := &journal{path: path, end: end}
	var buf []byte
	for {
		block, err := readFrame(f, buf)
		if errors.Is(err, io.EOF) || errors.Is(err, errCut) {
			return j, nil
		}
		if err != nil {
			return nil, err
		}
		j.took(block)
		buf = block
	}
}

func (j *journal) took(block []byte) {
	j.last = markOf(j.size, block)
	j.end += int64(frameHead + len(block))
	j.size += int64(len(block))
}

// forgetLast takes the last block away: the next one is written over it.
func (j *journal) forgetLast() {
	if j.last.size > 0 {
		j.end -= int64(frameHead + j.last.size)
		j.size -= int64(j.last.size)
		j.last = mark{}
	}
}

func markOf(offset int64, block []byte) mark {
	return mark{offset, len(block), crc32.Checksum(block, castagnoli)}
}

// add keeps a block durably. What an earlier attempt left behind the end is
// written over.
func (j *journal) add(block []byte) error {
	f, err := os.OpenFile(j.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(appendFrame(nil, block), j.end)
	if err == nil {
		err = f.Truncate(j.end + int64(frameHead+len(block)))
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	j.took(block)
	return nil
}

// A body is the bytes of the blocks. Close it after use.
type body struct {
	f    *os.File
	left int64 // bytes of blocks
	buf  []byte
	r    bytes.Reader
}

func (j *journal) open() (*body, error) {
	f, err := os.Open(j.path)
	if err != nil {
		return nil, err
	}
	_, end, err := readHead(f)
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &body{f: f, left: j.size}, nil
}

// Read is of io.Reader.
func (b *body) Read(p []byte) (int, error) {
	for b.r.Len() == 0 {
		if b.left == 0 {
			return 0, io.EOF
		}
		block, err := readFrame(b.f, b.buf)
		if err != nil {
			return 0, fmt.Errorf("read an upload back: %w", err)
		}
		if b.left -= int64(len(block)); b.left < 0 {
			return 0, fmt.Errorf("read an upload back: %w", errCut)
		}
		b.buf = block
		b.r.Reset(block)
	}
	return b.r.Read(p)
}

func (b *body) Close() error { return b.f.Close() }
