package access_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/matou-iot/matou/internal/access"
)

// TestWhatLastsEndsWithItsProof: somebody looks on for as long as he may, and
// no longer, whatever it is that ends it.
func TestWhatLastsEndsWithItsProof(t *testing.T) {
	for _, tt := range []struct {
		name  string
		token bool // looks on with a token of his, not with his session
		end   func(ctx context.Context, h *house, session, token string) error
		goes  bool // on
	}{
		{"signs out", false, func(ctx context.Context, h *house, session, _ string) error { return h.SignOut(ctx, session) }, false},
		{"signs out, but has a token", true, func(ctx context.Context, h *house, session, _ string) error { return h.SignOut(ctx, session) }, true},
		{"signs out everywhere", false, func(ctx context.Context, h *house, _, _ string) error {
			_, err := h.SignOutEverywhere(ctx, "bo")
			return err
		}, false},
		{"somebody else signs out everywhere", false, func(ctx context.Context, h *house, _, _ string) error {
			_, err := h.SignOutEverywhere(ctx, "admin")
			return err
		}, true},
		{"gets another password", false, func(ctx context.Context, h *house, _, _ string) error {
			return setPassword(ctx, h, "bo", "another password")
		}, false},
		{"becomes a viewer", false, func(ctx context.Context, h *house, _, _ string) error {
			_, err := h.ChangeOperator(ctx, "bo", access.Change{Role: access.Viewer})
			return err
		}, false},
		{"becomes an administrator", false, func(ctx context.Context, h *house, _, _ string) error {
			_, err := h.ChangeOperator(ctx, "bo", access.Change{Role: access.Administrator})
			return err
		}, true},
		{"is disabled", false, func(_ context.Context, h *house, _, _ string) error { return setDisabled(h, "bo", true) }, false},
		{"is disabled, and looks on with a token", true, func(_ context.Context, h *house, _, _ string) error { return setDisabled(h, "bo", true) }, false},
		{"is deleted", true, func(ctx context.Context, h *house, _, _ string) error { return h.DeleteOperator(ctx, "bo") }, false},
		{"his token is deleted", true, func(ctx context.Context, h *house, _, id string) error { return h.DeleteToken(ctx, id, "bo") }, false},
		{"his session expires", false, func(ctx context.Context, h *house, _, _ string) error { time.Sleep(access.SessionLife); return nil }, false},
		{"nothing happens", false, func(context.Context, *house, string, string) error { return nil }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &house{store: newFake()}
				h.Access = access.New(access.Options{Store: h.store, HashCost: bcrypt.MinCost}) // by the clock of the bubble
				if _, err := h.EnsureAdministrator(t.Context(), "harbour7"); err != nil {
					t.Fatal(err)
				}
				if _, err := h.CreateOperator(t.Context(), "bo", access.OperatorRole, "quayside"); err != nil {
					t.Fatal(err)
				}
				s, err := h.SignIn(t.Context(), "bo", "quayside", "::1")
				if err != nil {
					t.Fatal(err)
				}
				made, proof, err := h.IssueToken(t.Context(), access.Token{Name: "a script", Role: access.OperatorRole, Owner: "bo"})
				if err != nil {
					t.Fatal(err)
				}
				if !tt.token {
					proof = s.Token
				}
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					h.AwaitEnd(ctx, proof, access.OperatorRole)
				}()
				synctest.Wait()
				if err := tt.end(ctx, h, s.Token, made.ID); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Minute) // of the bubble: what expires is noticed, too
				synctest.Wait()
				select {
				case <-ended:
					if tt.goes {
						t.Error("it ended")
					}
				default:
					if !tt.goes {
						t.Error("it goes on")
					}
				}
				stop()
				<-ended
			})
		})
	}
}
