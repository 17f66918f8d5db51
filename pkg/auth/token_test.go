package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	key, other := newKey(t), newKey(t)
	known := []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "one", Algorithm: "ES256", Use: "sig"}}
	wanted := Tokens{Issuer: "https://issuer.example", Audience: "loom", Groups: "groups"}
	claims := map[string]any{"iss": wanted.Issuer, "aud": "loom", "sub": "7", "exp": now.Add(time.Minute).Unix(), "groups": []string{"netops"}}
	for _, tt := range []struct {
		name   string
		token  func() string
		want   string // name; empty: it is refused
		reason string
	}{
		{"a good one", signed(t, jose.ES256, key, "one", claims, nil), "oidc:7", ""},
		{"for several", signed(t, jose.ES256, key, "one", claims, map[string]any{"aud": []string{"other", "loom"}}), "oidc:7", ""},
		{"for somebody else", signed(t, jose.ES256, key, "one", claims, map[string]any{"aud": "other"}), "", "not for loom"},
		{"for nobody", signed(t, jose.ES256, key, "one", claims, map[string]any{"aud": []string{}}), "", "not for loom"},
		{"of another issuer", signed(t, jose.ES256, key, "one", claims, map[string]any{"iss": "https://issuer.example/"}), "", "another issuer"},
		{"expired within the skew", signed(t, jose.ES256, key, "one", claims, map[string]any{"exp": now.Add(-Skew + time.Second).Unix()}), "oidc:7", ""},
		{"expired", signed(t, jose.ES256, key, "one", claims, map[string]any{"exp": now.Add(-Skew).Unix()}), "", "expired"},
		{"without an end", signed(t, jose.ES256, key, "one", claims, map[string]any{"exp": nil}), "", "when it expires"},
		{"not yet good, within the skew", signed(t, jose.ES256, key, "one", claims, map[string]any{"nbf": now.Add(Skew).Unix()}), "oidc:7", ""},
		{"not yet good", signed(t, jose.ES256, key, "one", claims, map[string]any{"nbf": now.Add(Skew + 2*time.Second).Unix()}), "", "not good before"},
		{"issued in the time to come", signed(t, jose.ES256, key, "one", claims, map[string]any{"iat": now.Add(Skew + 2*time.Second).Unix()}), "", "to come"},
		{"of nobody", signed(t, jose.ES256, key, "one", claims, map[string]any{"sub": ""}), "", "whose it is"},
		{"signed by somebody else with the name of the key", signed(t, jose.ES256, other, "one", claims, nil), "", "signature"},
		{"signed with a key that is not known", signed(t, jose.ES256, other, "two", claims, nil), "", ErrKey.Error()},
		{"signed with a secret that is the public key", signed(t, jose.HS256, []byte("a secret that both sides know: 32"), "one", claims, nil), "", "no JSON web token"},
		{"no token", func() string { return "a.b.c" }, "", "no JSON web token"},
		{"one without a signature", func() string { return "eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0." }, "", "no JSON web token"},
	} {
		who, err := wanted.Identity(tt.token(), known, now)
		if tt.want == "" {
			if err == nil || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("%s: %v, want one that says %q", tt.name, err, tt.reason)
			}
			continue
		}
		if err != nil || who.Name != tt.want || who.Kind != Token {
			t.Errorf("%s: %+v, %v", tt.name, who, err)
		}
	}
	who, err := wanted.Identity(signed(t, jose.ES256, key, "one", claims, nil)(), known, now)
	if diff := cmp.Diff([]string{"netops"}, who.Groups); diff != "" || err != nil || !who.Until.Equal(now.Add(time.Minute+Skew)) {
		t.Error(who, err, diff)
	}
	if _, err := wanted.Identity(signed(t, jose.ES256, other, "two", claims, nil)(), known, now); !errors.Is(err, ErrKey) {
		t.Errorf("%v: the keys are to be fetched again", err)
	}
	wanted.Name = "email"
	for verified, want := range map[bool]bool{true: true, false: false} {
		more := map[string]any{"email": "ann@example.net", "email_verified": verified}
		if who, err := wanted.Identity(signed(t, jose.ES256, key, "one", claims, more)(), known, now); (err == nil) != want || want && who.Name != "oidc:ann@example.net" {
			t.Errorf("an address that is verified (%v): %+v, %v", verified, who, err)
		}
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signed(t *testing.T, by jose.SignatureAlgorithm, key any, id string, claims, more map[string]any) func() string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: by, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := maps.Clone(claims)
	maps.Copy(all, more)
	token, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return func() string { return token }
}
