package access_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/fault"
)

// A house is an Access with a clock that the test turns.
type house struct {
	*access.Access
	store *fake
	now   time.Time
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{store: newFake(), now: time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)}
	h.Access = h.another()
	return h
}

// another is what a restart makes.
func (h *house) another() *access.Access {
	return access.New(access.Options{Store: h.store, Now: func() time.Time { return h.now }, HashCost: bcrypt.MinCost})
}

// withAdmin has the administrator admin with the password "harbour7".
func withAdmin(t *testing.T) *house {
	t.Helper()
	h := open(t)
	if generated, err := h.EnsureAdministrator(t.Context(), "harbour7"); err != nil || generated != "" {
		t.Fatalf("%q %v", generated, err)
	}
	return h
}

func kind(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if got := fault.KindOf(err); got != want {
		t.Fatalf("error %v of kind %q, want %q", err, got, want)
	}
}

func TestFirstStartGeneratesAPasswordOnce(t *testing.T) {
	h := open(t)
	generated, err := h.EnsureAdministrator(t.Context(), "")
	if err != nil || len(generated) < access.MinPassword {
		t.Fatalf("%q %v", generated, err)
	}
	if h.PasswordChosen(t.Context()) {
		t.Error("a generated password counts as chosen")
	}
	if again, err := h.EnsureAdministrator(t.Context(), "something else"); err != nil || again != "" {
		t.Errorf("the second start: %q %v", again, err)
	}
	if _, err := h.SignIn(t.Context(), "admin", generated, "::1"); err != nil {
		t.Errorf("the generated password: %v", err)
	}
	if err := h.ChangePassword(t.Context(), "admin", generated, "harbour7", "::1"); err != nil {
		t.Fatal(err)
	}
	if !h.PasswordChosen(t.Context()) {
		t.Error("the new password counts as generated")
	}
}

func TestSessionsLiveForTwelveHours(t *testing.T) {
	h := withAdmin(t)
	s, err := h.SignIn(t.Context(), "admin", "harbour7", "::1")
	if err != nil || s.Role != access.Administrator || !s.Expires.Equal(h.now.Add(12*time.Hour)) {
		t.Fatalf("%+v %v", s, err)
	}
	h.now = h.now.Add(12*time.Hour - time.Second)
	p, err := h.Authenticate(t.Context(), s.Token)
	if err != nil || p != (access.Principal{Name: "admin", Role: access.Administrator, Operator: true}) {
		t.Fatalf("%+v %v", p, err)
	}
	h.now = h.now.Add(time.Second)
	_, err = h.Authenticate(t.Context(), s.Token)
	kind(t, err, fault.KindUnauthorized)
}

func TestSessionsEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(h *house, token string) error
	}{
		{"by signing out", func(h *house, token string) error { return h.SignOut(t.Context(), token) }},
		{"by signing out everywhere", func(h *house, _ string) error {
			if _, err := h.SignOutEverywhere(t.Context(), "admin"); err != nil { // who is another
				return err
			}
			n, err := h.SignOutEverywhere(t.Context(), "bo")
			if n != 1 {
				t.Errorf("%d sessions ended", n)
			}
			return err
		}},
		{"with a new password", func(h *house, _ string) error { return setPassword(t.Context(), h, "bo", "another password") }},
		{"when the operator is disabled", func(h *house, _ string) error { return setDisabled(h, "bo", true) }},
		{"with the operator", func(h *house, _ string) error { return h.DeleteOperator(t.Context(), "bo") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := withAdmin(t)
			if _, err := h.CreateOperator(t.Context(), "bo", access.Viewer, "quayside"); err != nil {
				t.Fatal(err)
			}
			s, err := h.SignIn(t.Context(), "bo", "quayside", "::1")
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.end(h, s.Token); err != nil {
				t.Fatal(err)
			}
			_, err = h.Authenticate(t.Context(), s.Token)
			kind(t, err, fault.KindUnauthorized)
			again := h.another()
			_, err = again.Authenticate(t.Context(), s.Token)
			kind(t, err, fault.KindUnauthorized)
		})
	}
}

// TestARestartSignsNobodyOut: who comes back to another process of Matou is who
// he was, for as long as he was to be. What is kept does not let anybody in.
func TestARestartSignsNobodyOut(t *testing.T) {
	h := withAdmin(t)
	s, err := h.SignIn(t.Context(), "admin", "harbour7", "::1")
	if err != nil {
		t.Fatal(err)
	}
	again := h.another()
	if p, err := again.Authenticate(t.Context(), s.Token); err != nil || p.Name != "admin" {
		t.Errorf("%+v %v", p, err)
	}
	if kept := fmt.Sprintf("%s %q", h.store.sessions, h.store.sessions); strings.Contains(kept, s.Token) {
		t.Error("the token itself is kept")
	}
	h.now = h.now.Add(access.SessionLife)
	_, err = again.Authenticate(t.Context(), s.Token)
	kind(t, err, fault.KindUnauthorized)
	if _, err := again.SignIn(t.Context(), "admin", "harbour7", "::1"); err != nil || len(h.store.sessions) != 1 {
		t.Errorf("%d sessions are kept, %v", len(h.store.sessions), err)
	}
}

// TestAnOldPasswordOpensNothingMeanwhile: while a password is being verified,
// which takes a while, it may be replaced, or its owner disabled or deleted.
func TestAnOldPasswordOpensNothingMeanwhile(t *testing.T) {
	for _, tt := range []struct {
		name      string
		meanwhile func(h *house) error
		want      fault.Kind
	}{
		{"another password", func(h *house) error { return setPassword(t.Context(), h, "bo", "another password") }, fault.KindUnauthorized},
		{"disabled", func(h *house) error { return setDisabled(h, "bo", true) }, fault.KindForbidden},
		{"deleted", func(h *house) error { return h.DeleteOperator(t.Context(), "bo") }, fault.KindUnauthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := withBo(t)
			h.store.read = func(name string) { // after the operator was read to be verified
				h.store.read = nil
				if err := tt.meanwhile(h); err != nil {
					t.Error(err)
				}
			}
			_, err := h.SignIn(t.Context(), "bo", "quayside", "::1")
			kind(t, err, tt.want)
			if len(h.store.sessions) != 0 {
				t.Error("there is a session")
			}
		})
	}
}

// withBo has the operator bo with the password "quayside", too.
func withBo(t *testing.T) *house {
	t.Helper()
	h := withAdmin(t)
	if _, err := h.CreateOperator(t.Context(), "bo", access.OperatorRole, "quayside"); err != nil {
		t.Fatal(err)
	}
	return h
}

func setDisabled(h *house, name string, disabled bool) error {
	_, err := h.ChangeOperator(context.Background(), name, access.Change{Disabled: &disabled})
	return err
}

func TestWhoIsDisabledComesInByNothing(t *testing.T) {
	h := withBo(t)
	_, token, err := h.IssueToken(t.Context(), access.Token{Name: "a script", Role: access.Viewer, Owner: "bo"})
	if err != nil {
		t.Fatal(err)
	}
	if err := setDisabled(h, "bo", true); err != nil {
		t.Fatal(err)
	}
	_, err = h.SignIn(t.Context(), "bo", "quayside", "::1")
	kind(t, err, fault.KindForbidden)
	_, err = h.SignIn(t.Context(), "bo", "a guess at it", "::1")
	kind(t, err, fault.KindUnauthorized) // who does not know the password is not told
	_, err = h.Authenticate(t.Context(), token)
	kind(t, err, fault.KindUnauthorized)
	if err := setPassword(t.Context(), h, "bo", "another password"); err != nil {
		t.Fatal(err)
	}
	_, err = h.SignIn(t.Context(), "bo", "another password", "::1")
	kind(t, err, fault.KindForbidden) // another password enables nobody
	if err := setDisabled(h, "bo", false); err != nil {
		t.Fatal(err)
	}
	if _, err := h.SignIn(t.Context(), "bo", "another password", "::1"); err != nil {
		t.Error(err)
	}
	if _, err := h.Authenticate(t.Context(), token); err != nil {
		t.Errorf("his token: %v", err)
	}
}

// TestSomebodyStaysToEnable: there is always an administrator who may sign in.
func TestSomebodyStaysToEnable(t *testing.T) {
	h := withAdmin(t)
	kind(t, setDisabled(h, "admin", true), fault.KindConflict)
	if _, err := h.CreateOperator(t.Context(), "bo", access.Administrator, "quayside"); err != nil {
		t.Fatal(err)
	}
	yes := true
	_, err := h.ChangeOperator(t.Context(), "admin", access.Change{Disabled: &yes, By: "admin"})
	kind(t, err, fault.KindConflict)
	if _, err := h.ChangeOperator(t.Context(), "admin", access.Change{Disabled: &yes, By: "bo"}); err != nil {
		t.Fatal(err)
	}
	// The other one, disabled, is no administrator to leave it to.
	kind(t, setDisabled(h, "bo", true), fault.KindConflict)
	kind(t, h.DeleteOperator(t.Context(), "bo"), fault.KindConflict)
	_, err = h.ChangeOperator(t.Context(), "bo", access.Change{Role: access.Viewer})
	kind(t, err, fault.KindConflict)
	if err := h.DeleteOperator(t.Context(), "admin"); err != nil {
		t.Errorf("who is disabled is deleted: %v", err)
	}
}

func setPassword(ctx context.Context, h *house, name, password string) error {
	_, err := h.ChangeOperator(ctx, name, access.Change{Password: password})
	return err
}

func TestWrongPasswordAndUnknownNameLookAlike(t *testing.T) {
	h := withAdmin(t)
	_, wrong := h.SignIn(t.Context(), "admin", "harbour8", "::1")
	_, unknown := h.SignIn(t.Context(), "nobody", "harbour7", "::1")
	kind(t, wrong, fault.KindUnauthorized)
	kind(t, unknown, fault.KindUnauthorized)
	if wrong.Error() != unknown.Error() {
		t.Errorf("%q and %q", wrong, unknown)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	h := withAdmin(t)
	for range 5 {
		_, err := h.SignIn(t.Context(), "admin", "guess guess", "192.0.2.1")
		kind(t, err, fault.KindUnauthorized)
	}
	_, err := h.SignIn(t.Context(), "admin", "harbour7", "192.0.2.1")
	kind(t, err, fault.KindExhausted)
	if _, err := h.SignIn(t.Context(), "admin", "harbour7", "192.0.2.2"); err != nil {
		t.Errorf("from another address: %v", err)
	}
	h.now = h.now.Add(time.Minute)
	if _, err := h.SignIn(t.Context(), "admin", "harbour7", "192.0.2.1"); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestPasswordsHaveBounds(t *testing.T) {
	h := withAdmin(t)
	for _, tt := range []struct {
		name, password string
		want           fault.Kind
	}{
		{"seven characters", "1234567", fault.KindInvalid},
		{"eight characters", "12345678", ""},
		{"eight characters in 24 bytes", "码头码头码头码头", ""},
		{"72 bytes", strings.Repeat("x", 72), ""},
		{"73 bytes, which bcrypt would cut", strings.Repeat("x", 73), fault.KindInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) { kind(t, setPassword(t.Context(), h, "admin", tt.password), tt.want) })
	}
}

func TestOldPasswordMustBeRight(t *testing.T) {
	h := withAdmin(t)
	kind(t, h.ChangePassword(t.Context(), "admin", "harbour8", "new password", "::1"), fault.KindInvalid)
	if _, err := h.SignIn(t.Context(), "admin", "harbour7", "::1"); err != nil {
		t.Error(err)
	}
}

func TestLastAdministratorStays(t *testing.T) {
	h := withAdmin(t)
	kind(t, h.DeleteOperator(t.Context(), "admin"), fault.KindConflict)
	_, err := h.ChangeOperator(t.Context(), "admin", access.Change{Role: access.Viewer, Password: "another password"})
	kind(t, err, fault.KindConflict)
	if _, err := h.SignIn(t.Context(), "admin", "harbour7", "::1"); err != nil {
		t.Errorf("what was refused changed the password: %v", err)
	}
	if _, err := h.CreateOperator(t.Context(), "bo", access.Administrator, "quayside"); err != nil {
		t.Fatal(err)
	}
	if err := h.DeleteOperator(t.Context(), "admin"); err != nil {
		t.Error(err)
	}
}

func TestOperatorsThatCannotBe(t *testing.T) {
	h := withAdmin(t)
	for _, tt := range []struct {
		name     string
		operator string
		role     access.Role
		want     fault.Kind
	}{
		{"no name", "", access.Viewer, fault.KindInvalid},
		{"a name with a slash", "a/b", access.Viewer, fault.KindInvalid},
		{"a name of 65", strings.Repeat("a", 65), access.Viewer, fault.KindInvalid},
		{"no role", "bo", "", fault.KindInvalid},
		{"an unknown role", "bo", "captain", fault.KindInvalid},
		{"a name that is taken", "admin", access.Viewer, fault.KindConflict},
		{"a Chinese name", "小王", access.Viewer, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := h.CreateOperator(t.Context(), tt.operator, tt.role, "quayside")
			kind(t, err, tt.want)
		})
	}
}

func TestTokensLetIn(t *testing.T) {
	h := withAdmin(t)
	token, err := h.CreateToken(t.Context(), access.OperatorRole, "a script")
	if err != nil || !strings.HasPrefix(token, "mt_") || len(token) != len("mt_")+43 {
		t.Fatalf("%q %v", token, err)
	}
	p, err := h.Authenticate(t.Context(), token)
	if err != nil || p != (access.Principal{Name: "a script", Role: access.OperatorRole}) {
		t.Fatalf("%+v %v", p, err)
	}
	all, err := h.Tokens(t.Context(), "")
	if err != nil || len(all) != 1 || !all[0].LastUsed.Equal(h.now) {
		t.Fatalf("%+v %v", all, err)
	}
	if strings.Contains(string(all[0].Hash), token) {
		t.Error("the token itself is kept")
	}
	if err := h.DeleteToken(t.Context(), all[0].ID, ""); err != nil {
		t.Fatal(err)
	}
	_, err = h.Authenticate(t.Context(), token)
	kind(t, err, fault.KindUnauthorized)
}

func TestBearersThatAreNone(t *testing.T) {
	h := withAdmin(t)
	for _, bearer := range []string{"", "admin", "mt_", "ms_short", "mt_" + strings.Repeat("A", 43), "ms_" + strings.Repeat("A", 43), strings.Repeat("x", 1<<16)} {
		_, err := h.Authenticate(t.Context(), bearer)
		kind(t, err, fault.KindUnauthorized)
	}
}

func TestTokensExpire(t *testing.T) {
	h := withAdmin(t)
	_, token, err := h.IssueToken(t.Context(), access.Token{Name: "for a day", Role: access.Viewer, ExpiresAt: h.now.Add(24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Authenticate(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(24 * time.Hour)
	_, err = h.Authenticate(t.Context(), token)
	kind(t, err, fault.KindUnauthorized)
	_, _, err = h.IssueToken(t.Context(), access.Token{Name: "too late", Role: access.Viewer, ExpiresAt: h.now})
	kind(t, err, fault.KindInvalid)
}

func TestATokenDoesNoMoreThanItsOwner(t *testing.T) {
	h := withAdmin(t)
	if _, err := h.CreateOperator(t.Context(), "bo", access.Administrator, "quayside"); err != nil {
		t.Fatal(err)
	}
	made, token, err := h.IssueToken(t.Context(), access.Token{Name: "a script", Role: access.OperatorRole, Owner: "bo"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ owner, want access.Role }{
		{access.Administrator, access.OperatorRole}, {access.OperatorRole, access.OperatorRole}, {access.Viewer, access.Viewer},
	} {
		if _, err := h.ChangeOperator(t.Context(), "bo", access.Change{Role: tt.owner}); err != nil {
			t.Fatal(err)
		}
		if p, err := h.Authenticate(t.Context(), token); err != nil || p.Role != tt.want || p.Name != "bo" {
			t.Errorf("owner is %s: %+v %v", tt.owner, p, err)
		}
	}
	kind(t, h.DeleteToken(t.Context(), made.ID, "admin"), fault.KindNotFound)
	if err := h.DeleteOperator(t.Context(), "bo"); err != nil {
		t.Fatal(err)
	}
	_, err = h.Authenticate(t.Context(), token)
	kind(t, err, fault.KindUnauthorized)
}

func TestRolesInclude(t *testing.T) {
	roles := []access.Role{access.Viewer, access.OperatorRole, access.Administrator}
	for i, has := range roles {
		for j, need := range roles {
			if got := has.Includes(need); got != (i >= j) {
				t.Errorf("%s includes %s: %v", has, need, got)
			}
		}
		if access.Role("captain").Includes(has) || access.Role("").Includes("") {
			t.Errorf("an unknown role includes %s", has)
		}
	}
}
