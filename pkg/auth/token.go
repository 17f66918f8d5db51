package auth

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Tokens is whose bearer tokens are accepted: JSON web tokens of one OpenID Connect issuer (OpenID Connect Core §2, §3.1.3.7).
type Tokens struct {
	Issuer   string // as tokens have it: an https URL
	Audience string // that tokens have to be for
	Name     string // claim that says whose it is; empty: sub, which alone is sure to be unique and to stay
	Groups   string // claim with names of groups; empty: none
}

// Skew is how far the clock of the issuer may be from the controller's.
const Skew = 30 * time.Second

// algorithms are those by which a token may be signed: with a private key, so that who checks it cannot make one.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// ErrKey is that a token is signed with a key that is not known.
var ErrKey = errors.New("it is signed with a key that the issuer does not have")

// Identity is who a token is of. Errors: ErrKey, or what is wrong with it. Nothing of the token is in an error.
func (t Tokens) Identity(token string, keys []jose.JSONWebKey, now time.Time) (Identity, error) {
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil {
		return Identity{}, errors.New("it is no JSON web token that is signed with a private key")
	}
	header := parsed.Headers[0]
	i := slices.IndexFunc(keys, func(k jose.JSONWebKey) bool {
		return k.KeyID == header.KeyID && (k.Algorithm == "" || k.Algorithm == header.Algorithm) && (k.Use == "" || k.Use == "sig") && k.IsPublic()
	})
	if i < 0 {
		return Identity{}, ErrKey
	}
	var claims jwt.Claims
	var more map[string]any
	if err := parsed.Claims(keys[i].Key, &claims, &more); err != nil {
		return Identity{}, errors.New("its signature is not that of the issuer, or what it says is malformed")
	}
	if err := t.check(claims, now); err != nil {
		return Identity{}, err
	}
	name := claims.Subject
	if t.Name != "" {
		name, _ = more[t.Name].(string)
		if verified, said := more["email_verified"].(bool); t.Name == "email" && said && !verified {
			name = ""
		}
	}
	if name == "" || len(name) > 256 {
		return Identity{}, fmt.Errorf("it does not say whose it is, by %q", cmp.Or(t.Name, "sub"))
	}
	return Identity{Kind: Token, Name: tokenPrefix + name, Groups: texts(more[t.Groups]), Issued: claims.IssuedAt.Time(), Until: claims.Expiry.Time().Add(Skew)}, nil
}

// check compares what a token says with what is wanted, and with the clock.
func (t Tokens) check(c jwt.Claims, now time.Time) error {
	switch {
	case c.Issuer != t.Issuer:
		return fmt.Errorf("it is of another issuer than %s", t.Issuer)
	case !c.Audience.Contains(t.Audience):
		return fmt.Errorf("it is not for %s", t.Audience)
	case c.Expiry == nil:
		return errors.New("it does not say when it expires")
	case !now.Before(c.Expiry.Time().Add(Skew)):
		return fmt.Errorf("it has expired at %s", c.Expiry.Time().UTC().Format(time.RFC3339))
	case c.NotBefore != nil && now.Add(Skew).Before(c.NotBefore.Time()):
		return fmt.Errorf("it is not good before %s; is the clock right?", c.NotBefore.Time().UTC().Format(time.RFC3339))
	case c.IssuedAt != nil && now.Add(Skew).Before(c.IssuedAt.Time()):
		return fmt.Errorf("it was issued at %s, which is to come; is the clock right?", c.IssuedAt.Time().UTC().Format(time.RFC3339))
	}
	return nil
}

// texts are those of a claim that is one, or a list of them.
func texts(claim any) []string {
	switch c := claim.(type) {
	case string:
		return []string{c}
	case []any:
		var out []string
		for _, x := range c {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}
