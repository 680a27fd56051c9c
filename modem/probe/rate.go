package probe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/matou-iot/matou/modem"
)

// maxHeard bounds what a tap keeps of a line; what comes later is not kept.
const maxHeard = 8192

// A tap keeps what went over a line: if no answer comes, what came instead says
// why.
type tap struct {
	io.ReadWriteCloser
	mu          sync.Mutex
	heard, sent []byte
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.ReadWriteCloser.Read(p)
	t.keep(&t.heard, p[:n])
	return n, err
}

func (t *tap) Write(p []byte) (int, error) {
	t.keep(&t.sent, p)
	return t.ReadWriteCloser.Write(p)
}

func (t *tap) keep(all *[]byte, p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*all = append(*all, p[:min(len(p), maxHeard-len(*all))]...)
}

// forget begins anew.
func (t *tap) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heard, t.sent = nil, nil
}

func (t *tap) all() (heard, sent []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.heard), bytes.Clone(t.sent)
}

// findRate tries one speed after another until the module answers. If it does
// at none, findings say what came instead.
func (p *prober) findRate(ctx context.Context) (answers bool, err error) {
	rates, tries := p.o.Rates, triesARate
	if len(rates) == 0 {
		rates = []int{0}
	}
	if len(rates) == 1 {
		tries = triesAtOneRate
	}
	var at []heardAt
	for _, baud := range rates {
		if p.o.Tell != nil {
			p.o.Tell(baud)
		}
		if baud != 0 {
			if err := p.o.SetBaud(baud); err != nil {
				if len(rates) == 1 {
					return false, err
				}
				continue // an adapter that cannot do this one
			}
		}
		p.line.forget()
		err := p.host.Attention(ctx, tries)
		heard, sent := p.line.all()
		if err == nil && !prompt.Match(heard) {
			echo := bytes.Contains(heard, []byte("AT\r"))
			p.r.Answers, p.r.Baud, p.r.Echo = true, baud, &echo
			return true, nil
		}
		if ctx.Err() != nil || errors.Is(err, modem.ErrGone) {
			return false, err
		}
		at = append(at, heardAt{baud, heard, sent})
	}
	p.explainSilence(at)
	return false, nil
}

// heardAt is what came at a speed instead of an answer.
type heardAt struct {
	baud        int
	heard, sent []byte
}

var (
	// bootText is of the ESP8266's and its relatives' boot loaders.
	bootText = regexp.MustCompile(`ets [A-Z][a-z]{2} +\d+ \d{4}|rst cause:\d|boot mode:\(\d`)
	// download is the boot mode in which they wait for new firmware.
	download = regexp.MustCompile(`boot mode:\(1,|waiting for download|DOWNLOAD_BOOT`)
	damaged  = regexp.MustCompile(`csum err|invalid header|flash read err|ets_main\.c`)
	// numeric is what ATV0 makes of OK and ERROR.
	numeric = regexp.MustCompile(`^(AT\r\n?)*[04]\r`)
	prompt  = regexp.MustCompile(`(^|[\r\n])> ?$`)
)

// explainSilence finds the best explanation of what came at all speeds.
func (p *prober) explainSilence(at []heardAt) {
	echoes, noise := 0, 0
	for _, h := range at {
		text := string(h.heard)
		f := finding{}
		switch {
		case download.MatchString(text):
			f = bootsForDownload
		case damaged.MatchString(text):
			f = flashDamaged
		case bootText.MatchString(text):
			f = onlyBoots
		case numeric.MatchString(text):
			f = numericResults
		case strings.Contains(text, "busy p...") || strings.Contains(text, "busy s..."):
			f = busy
		case prompt.MatchString(text):
			f = waitsForData
		}
		if f.code != "" {
			p.r.Baud = h.baud
			p.found(f)
			return
		}
		switch {
		case len(h.heard) == 0:
		case onlyEcho(h.heard, h.sent):
			echoes++
			p.r.Baud = h.baud
		default:
			noise++
		}
	}
	switch {
	case echoes == len(at) && echoes > 1:
		p.r.Baud = 0
		p.found(loop)
	case echoes > 0:
		p.found(quietResults)
	case noise > 0 && len(at) == 1:
		p.found(noiseAtOneRate)
	case noise > 0:
		p.found(noiseAtAllRates)
	case len(at) == 1:
		p.found(silentAtOneRate)
	default:
		p.found(silent)
	}
}

// onlyEcho reports whether nothing came but what was sent, with or without its
// line feeds.
func onlyEcho(heard, sent []byte) bool {
	bare := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), nil) }
	return bytes.Equal(bare(heard), bare(sent))
}
