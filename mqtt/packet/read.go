package packet

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/matou-iot/matou/mqtt"
)

// Read reads the next packet of a connection that speaks version v, header and
// body; one of more than limit bytes is refused with PacketTooLarge before its
// body is read. The packet owns its bytes. io.EOF is returned between two
// packets only, inside one it is io.ErrUnexpectedEOF.
func Read(r *bufio.Reader, v mqtt.Version, limit int) (Packet, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	if h.Size+h.Remaining > limit {
		return nil, fmt.Errorf("the other side sent a packet of %d bytes, more than %d: %w", h.Size+h.Remaining, limit, mqtt.PacketTooLarge)
	}
	r.Discard(h.Size)
	body := make([]byte, h.Remaining)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, inside(err)
	}
	return Decode(h, body, v)
}

func readHeader(r *bufio.Reader) (Header, error) {
	for n := 2; ; n++ {
		b, err := r.Peek(n)
		if err != nil {
			if len(b) > 0 {
				err = inside(err)
			}
			return Header{}, err
		}
		h, err := ParseHeader(b)
		if !errors.Is(err, ErrIncomplete) {
			return h, err
		}
	}
}

// inside is what an error means that came in the middle of a packet.
func inside(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
