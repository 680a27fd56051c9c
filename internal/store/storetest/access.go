package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/fault"
)

// Access is the contract of an access.Store. open returns an empty store that
// lives as long as its test.
func Access(t *testing.T, open func(t *testing.T) access.Store) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, access.Store)
	}{
		{"operators come back as they went in, by name", operatorsComeBack},
		{"a name is taken once", operatorNameTakenOnce},
		{"an unknown operator is not found", operatorNotFound},
		{"an update replaces all but the name", operatorUpdated},
		{"tokens come back as they went in, oldest first", tokensComeBack},
		{"an unknown token is not found", tokenNotFound},
		{"a token's last use is kept", tokenTouched},
		{"an operator's tokens go with him", tokensGoWithOwner},
		{"sessions come back as they went in", sessionsComeBack},
		{"an unknown session is not found", sessionNotFound},
		{"sessions make room, what ends first before", sessionsMakeRoom},
		{"an operator's sessions go together, and with him", sessionsGoWithOperator},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

var accessTime = time.Date(2025, 3, 1, 12, 0, 0, 123e6, time.UTC)

func anOperator(name string) access.Operator {
	return access.Operator{
		Name: name, Role: access.OperatorRole, PasswordHash: []byte{0, 1, 0xff}, Chosen: true,
		CreatedAt: accessTime, UpdatedAt: accessTime.Add(time.Second),
	}
}

func aToken(id, owner string) access.Token {
	return access.Token{
		ID: id, Name: "脚本 " + id, Role: access.Viewer, Owner: owner, Hash: append(make([]byte, 31), id[0]),
		CreatedAt: accessTime, ExpiresAt: accessTime.Add(time.Hour),
	}
}

func operatorsComeBack(t *testing.T, s access.Store) {
	for _, name := range []string{"小王", "bo", "al"} {
		noError(t, s.CreateOperator(t.Context(), anOperator(name)))
	}
	all, err := s.Operators(t.Context())
	noError(t, err)
	var names []string
	for _, o := range all {
		names = append(names, o.Name)
	}
	if !slices.Equal(names, []string{"al", "bo", "小王"}) {
		t.Errorf("listed %q", names)
	}
	got, err := s.Operator(t.Context(), "小王")
	noError(t, err)
	sameOperator(t, got, anOperator("小王"))
}

func sameOperator(t *testing.T, got, want access.Operator) {
	t.Helper()
	if got.Name != want.Name || got.Role != want.Role || !slices.Equal(got.PasswordHash, want.PasswordHash) || got.Chosen != want.Chosen || got.Disabled != want.Disabled ||
		!got.CreatedAt.Equal(want.CreatedAt) || !got.UpdatedAt.Equal(want.UpdatedAt) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func operatorNameTakenOnce(t *testing.T, s access.Store) {
	noError(t, s.CreateOperator(t.Context(), anOperator("al")))
	hasKind(t, s.CreateOperator(t.Context(), anOperator("al")), fault.KindConflict)
}

func operatorNotFound(t *testing.T, s access.Store) {
	_, err := s.Operator(t.Context(), "al")
	hasKind(t, err, fault.KindNotFound)
	hasKind(t, s.UpdateOperator(t.Context(), anOperator("al")), fault.KindNotFound)
	hasKind(t, s.DeleteOperator(t.Context(), "al"), fault.KindNotFound)
}

func operatorUpdated(t *testing.T, s access.Store) {
	noError(t, s.CreateOperator(t.Context(), anOperator("al")))
	changed := access.Operator{
		Name: "al", Role: access.Administrator, PasswordHash: []byte("new"), Disabled: true,
		CreatedAt: accessTime, UpdatedAt: accessTime.Add(time.Minute),
	}
	noError(t, s.UpdateOperator(t.Context(), changed))
	got, err := s.Operator(t.Context(), "al")
	noError(t, err)
	sameOperator(t, got, changed)
}

func tokensComeBack(t *testing.T, s access.Store) {
	young, old := aToken("a", ""), aToken("b", "al")
	old.CreatedAt, old.ExpiresAt = accessTime.Add(-time.Hour), time.Time{}
	noError(t, s.CreateAccessToken(t.Context(), young))
	noError(t, s.CreateAccessToken(t.Context(), old))
	all, err := s.AccessTokens(t.Context())
	noError(t, err)
	if len(all) != 2 {
		t.Fatalf("%d tokens", len(all))
	}
	sameToken(t, all[0], old)
	sameToken(t, all[1], young)
	got, err := s.AccessTokenByHash(t.Context(), young.Hash)
	noError(t, err)
	sameToken(t, got, young)
	noError(t, s.DeleteAccessToken(t.Context(), "a"))
	_, err = s.AccessTokenByHash(t.Context(), young.Hash)
	hasKind(t, err, fault.KindNotFound)
}

func sameToken(t *testing.T, got, want access.Token) {
	t.Helper()
	if got.ID != want.ID || got.Name != want.Name || got.Role != want.Role || got.Owner != want.Owner || !slices.Equal(got.Hash, want.Hash) ||
		!got.CreatedAt.Equal(want.CreatedAt) || !got.ExpiresAt.Equal(want.ExpiresAt) || !got.LastUsed.Equal(want.LastUsed) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func tokenNotFound(t *testing.T, s access.Store) {
	_, err := s.AccessTokenByHash(t.Context(), aToken("a", "").Hash)
	hasKind(t, err, fault.KindNotFound)
	hasKind(t, s.DeleteAccessToken(t.Context(), "a"), fault.KindNotFound)
	noError(t, s.TouchAccessToken(t.Context(), "a", accessTime))
}

func tokenTouched(t *testing.T, s access.Store) {
	want := aToken("a", "")
	noError(t, s.CreateAccessToken(t.Context(), want))
	want.LastUsed = accessTime.Add(time.Minute)
	noError(t, s.TouchAccessToken(t.Context(), "a", want.LastUsed))
	got, err := s.AccessTokenByHash(t.Context(), want.Hash)
	noError(t, err)
	sameToken(t, got, want)
}

func tokensGoWithOwner(t *testing.T, s access.Store) {
	noError(t, s.CreateOperator(t.Context(), anOperator("al")))
	noError(t, s.CreateAccessToken(t.Context(), aToken("a", "al")))
	noError(t, s.CreateAccessToken(t.Context(), aToken("b", "bo")))
	noError(t, s.CreateAccessToken(t.Context(), aToken("c", "")))
	noError(t, s.DeleteOperator(t.Context(), "al"))
	all, err := s.AccessTokens(t.Context())
	noError(t, err)
	var left []string
	for _, a := range all {
		left = append(left, a.ID)
	}
	slices.Sort(left)
	if !slices.Equal(left, []string{"b", "c"}) {
		t.Errorf("left are %q", left)
	}
}

func aSession(id byte, operator string, ends time.Time) access.KeptSession {
	return access.KeptSession{Hash: append(make([]byte, 31), id), Name: operator, Expires: ends}
}

// sessionsOf are those of ids that are kept.
func sessionsOf(t *testing.T, s access.Store, ids string) string {
	t.Helper()
	var kept []byte
	for _, id := range []byte(ids) {
		switch _, err := s.SessionByHash(t.Context(), aSession(id, "", accessTime).Hash); fault.KindOf(err) {
		case "":
			kept = append(kept, id)
		case fault.KindNotFound:
		default:
			t.Fatal(err)
		}
	}
	return string(kept)
}

func sessionsComeBack(t *testing.T, s access.Store) {
	want := aSession('a', "小王", accessTime.Add(time.Hour))
	noError(t, s.CreateSession(t.Context(), want, accessTime, 10))
	got, err := s.SessionByHash(t.Context(), want.Hash)
	noError(t, err)
	if !slices.Equal(got.Hash, want.Hash) || got.Name != want.Name || !got.Expires.Equal(want.Expires) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	noError(t, s.DeleteSession(t.Context(), want.Hash))
	if kept := sessionsOf(t, s, "a"); kept != "" {
		t.Errorf("after its end there are %q", kept)
	}
}

func sessionNotFound(t *testing.T, s access.Store) {
	_, err := s.SessionByHash(t.Context(), aSession('a', "", accessTime).Hash)
	hasKind(t, err, fault.KindNotFound)
	noError(t, s.DeleteSession(t.Context(), aSession('a', "", accessTime).Hash))
	n, err := s.DeleteSessions(t.Context(), "al")
	if err != nil || n != 0 {
		t.Errorf("%d sessions of nobody ended, %v", n, err)
	}
}

func sessionsMakeRoom(t *testing.T, s access.Store) {
	for i, id := range []byte("dacb") { // a ends first
		noError(t, s.CreateSession(t.Context(), aSession(id, "al", accessTime.Add(time.Duration(id-'a'+1)*time.Hour)), accessTime, 4))
		if kept := sessionsOf(t, s, "abcd"); len(kept) != i+1 {
			t.Errorf("%q are kept of %d", kept, i+1)
		}
	}
	noError(t, s.CreateSession(t.Context(), aSession('e', "bo", accessTime.Add(5*time.Hour)), accessTime, 4))
	if kept := sessionsOf(t, s, "abcde"); kept != "bcde" {
		t.Errorf("with a fifth there are %q", kept)
	}
	noError(t, s.CreateSession(t.Context(), aSession('f', "bo", accessTime.Add(6*time.Hour)), accessTime.Add(3*time.Hour), 4))
	if kept := sessionsOf(t, s, "abcdef"); kept != "def" {
		t.Errorf("after three hours there are %q", kept)
	}
}

func sessionsGoWithOperator(t *testing.T, s access.Store) {
	noError(t, s.CreateOperator(t.Context(), anOperator("al")))
	ends := accessTime.Add(time.Hour)
	for _, kept := range []access.KeptSession{aSession('a', "al", ends), aSession('b', "bo", ends), aSession('c', "al", ends)} {
		noError(t, s.CreateSession(t.Context(), kept, accessTime, 10))
	}
	n, err := s.DeleteSessions(t.Context(), "al")
	if kept := sessionsOf(t, s, "abc"); err != nil || n != 2 || kept != "b" {
		t.Errorf("%d ended, %q are kept, %v", n, kept, err)
	}
	noError(t, s.CreateSession(t.Context(), aSession('d', "al", ends), accessTime, 10))
	noError(t, s.DeleteOperator(t.Context(), "al"))
	if kept := sessionsOf(t, s, "abcd"); kept != "b" {
		t.Errorf("after he was deleted there are %q", kept)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func hasKind(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if got := fault.KindOf(err); got != want {
		t.Errorf("error %v of kind %q, want %q", err, got, want)
	}
}
