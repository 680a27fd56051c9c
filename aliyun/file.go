package aliyun

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/matou-iot/matou/thing"
)

// The sizes of one block of a file over MQTT; the last one of a file may be
// smaller [aliyun-device §4.12].
const (
	MinFileBlock = 256
	MaxFileBlock = 131072
)

// A FileRequest asks for one block of a file [aliyun-device §4.12].
type FileRequest struct {
	Token    string // as it came with the block before, "" in the first request
	StreamID int64
	FileID   int64
	Size     int64
	Offset   int64
}

// FileDownload reads a request for a block. Sizes are not judged here.
func (d *Decoder) FileDownload(doc []byte) (FileRequest, error) {
	var p struct {
		Token loosely `json:"fileToken"`
		Info  struct {
			Stream loosely `json:"streamId"`
			File   loosely `json:"fileId"`
		} `json:"fileInfo"`
		Block struct {
			Size   loosely `json:"size"`
			Offset loosely `json:"offset"`
		} `json:"fileBlock"`
	}
	if err := d.paramsInto(doc, &p); err != nil {
		return FileRequest{}, err
	}
	q := FileRequest{
		Token: string(p.Token), StreamID: p.Info.Stream.number(), FileID: p.Info.File.number(),
		Size: p.Block.Size.number(), Offset: p.Block.Offset.number(),
	}
	switch {
	case q.StreamID < 0 || q.FileID < 0:
		return q, ErrNoFileInfo
	case q.Size < 0 || q.Offset < 0:
		return q, ErrNoFileBlock
	}
	return q, nil
}

// AppendFileBlock appends a block as the platform sends it: a header of JSON
// behind its length, the bytes, and their CRC with the low byte first
// [aliyun-device §4.12].
func AppendFileBlock(dst []byte, id string, block []byte, offset, fileLength int64, token string) []byte {
	head := appendFileHead(nil, id, 200)
	head = append(head, `,"data":{"bSize":`...)
	head = strconv.AppendInt(head, int64(len(block)), 10)
	head = append(head, `,"bOffset":`...)
	head = strconv.AppendInt(head, offset, 10)
	head = append(head, `,"fileLength":`...)
	head = strconv.AppendInt(head, fileLength, 10)
	if token != "" {
		head = appendMember(head, "fileToken", token)
	}
	dst = appendFrame(dst, append(head, "}}"...))
	dst = append(dst, block...)
	return binary.LittleEndian.AppendUint16(dst, CRC16(block))
}

// AppendFileError appends the answer to a request that cannot be served: the
// header alone [aliyun-device §4.12].
func AppendFileError(dst []byte, id string, code int, message string) []byte {
	head := appendMember(appendFileHead(nil, id, code), "message", message)
	return appendFrame(dst, append(head, '}'))
}

func appendFileHead(dst []byte, id string, code int) []byte {
	if id == "" {
		id = "0"
	}
	dst = append(dst, `{"id":`...)
	dst = thing.AppendText(dst, id)
	dst = append(dst, `,"code":`...)
	return strconv.AppendInt(dst, int64(code), 10)
}

// appendFrame appends the header behind its length. One longer than the
// length can say, which only an absurd id makes, is left out.
func appendFrame(dst, head []byte) []byte {
	if len(head) > math.MaxUint16 {
		head = []byte(`{"id":"0","code":460}`)
	}
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(head))), head...)
}

// crcNibbles is the remainder of each half byte by the polynomial 0x8005,
// reflected.
var crcNibbles = [16]uint16{
	0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401, 0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
}

// CRC16 is CRC-16/ARC, the check of blocks [aliyun-device §4.12].
func CRC16(data []byte) uint16 {
	var crc uint16
	for _, b := range data {
		crc ^= uint16(b)
		crc = crc>>4 ^ crcNibbles[crc&15]
		crc = crc>>4 ^ crcNibbles[crc&15]
	}
	return crc
}
