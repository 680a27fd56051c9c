package coapgate

import (
	"context"
	"strings"

	"github.com/plgd-dev/go-coap/v3/message/codes"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
)

// refuse refuses a request of nobody that is known.
func (x *conversation) refuse(code codes.Code, why, field, received string, args ...any) answer {
	return x.refuseOf(dialect.Claim{}, code, why, field, received, args...)
}

// refuseOf refuses a request of a device and writes down why.
func (x *conversation) refuseOf(c dialect.Claim, code codes.Code, why, field, received string, args ...any) answer {
	x.Gate.Refuse(x.ctx, x.aliyun, c, x.from, aliyun.Diagnosis(vendor.Explain(why, field, clip(received), "", args...)))
	return refusal(code)
}

// stranger writes down what somebody sent who is not known.
func (s *Server) stranger(ctx context.Context, p *peer, why, field, received string, args ...any) {
	s.Gate.Refuse(ctx, s.aliyun, dialect.Claim{}, p.from, aliyun.Diagnosis(vendor.Explain(why, field, received, "", args...)))
}

// maxText is how many bytes of what was sent are shown.
const maxText = 128

func clip(s string) string {
	if len(s) > maxText {
		return strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

func join(path []string) string { return strings.Join(path, "/") }
