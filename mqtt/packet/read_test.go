package packet

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/matou-iot/matou/mqtt"
)

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name, stream string
		want         Type
		err          error
	}{
		{"a packet", "\x30\x05\x00\x01tab", TypePublish, nil},
		{"without a body", "\xd0\x00", TypePingresp, nil},
		{"as large as allowed", "\x30\x06\x00\x01tabc", TypePublish, nil},
		{"too large, the body is not waited for", "\x30\x07", 0, mqtt.PacketTooLarge},
		{"the end", "", 0, io.EOF},
		{"the end inside the header", "\x30", 0, io.ErrUnexpectedEOF},
		{"the end inside a long header", "\x30\x80", 0, io.ErrUnexpectedEOF},
		{"the end before the body", "\x30\x05", 0, io.ErrUnexpectedEOF},
		{"the end inside the body", "\x30\x05\x00\x01", 0, io.ErrUnexpectedEOF},
		{"no packet", "\x00\x00", 0, mqtt.MalformedPacket},
		{"a length of five bytes", "\x30\xff\xff\xff\xff\x01", 0, mqtt.MalformedPacket},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := bufio.NewReader(iotest.OneByteReader(strings.NewReader(tt.stream)))
			p, err := Read(r, mqtt.V311, 8)
			if !errors.Is(err, tt.err) || err == nil && p.Type() != tt.want {
				t.Errorf("%v, %v", p, err)
			}
		})
	}
}
