package httpapi

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matou-iot/matou/internal/fault"
)

// cookieName is the cookie of a page that signed in.
const cookieName = "matou_session"

// sessionCookie holds a session's token: out of reach of scripts, and not sent
// along where another site sends the visitor here.
func sessionCookie(token string, expires time.Time, secure bool) string {
	c := http.Cookie{
		Name: cookieName, Value: token, Path: Base, Expires: expires,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode,
	}
	return c.String()
}

// foreign tells requests that another site made a browser send: such a browser
// says where they come from.
var foreign = http.NewCrossOriginProtection()

// proof is the token of a request: of its header, else of its cookie, which
// browsers add by themselves and which is good for nothing that another site
// asks to be changed.
func proof(ctx huma.Context) (token string, cookie bool, err error) {
	header := ctx.Header("Authorization")
	if header == "" {
		r, _ := request(ctx)
		if c, err := r.Cookie(cookieName); err == nil && c.Value != "" {
			if foreign.Check(r) != nil {
				return "", true, fault.Forbidden("this request comes from another site: only the console may use its session")
			}
			return c.Value, true, nil
		}
	}
	token, err = bearer(header)
	return token, false, err
}
