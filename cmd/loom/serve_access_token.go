package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/spf13/cobra"
)

// oidcFlags are those of `loom serve` about tokens.
type oidcFlags struct {
	issuer, audience, ca, groups, name string
}

func addOIDCFlags(c *cobra.Command) *oidcFlags {
	o := &oidcFlags{}
	c.Flags().StringVar(&o.issuer, "oidc-issuer", "", "`URL` of an OpenID Connect issuer whose bearer tokens are taken instead of a client certificate (default: none are)")
	c.Flags().StringVar(&o.audience, "oidc-audience", "loom", "`NAME` that tokens have to be for")
	c.Flags().StringVar(&o.ca, "oidc-ca", "", "`FILE` with the authorities of the issuer's certificate, PEM (default: those of this host)")
	c.Flags().StringVar(&o.groups, "oidc-groups", "groups", "`CLAIM` with the groups of whoever a token is of")
	c.Flags().StringVar(&o.name, "oidc-name", "sub", "`CLAIM` that says whose a token is")
	return o
}

// issuer knows the keys of an OpenID Connect issuer. They are fetched when the first token comes, and again when one is signed with a
// key that is not known, and once an hour: an issuer that takes a key back is heard.
type issuer struct {
	tokens auth.Tokens
	client *http.Client
	now    func() time.Time

	fetching sync.Mutex // one asks, so that those whose keys are known do not wait
	tried    time.Time  // when that was last done

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time // when they were
}

const (
	keysLast    = time.Hour
	keysAgain   = 2 * time.Second // between two attempts: whoever sends tokens must not have the issuer flooded
	mostKeys    = 1 << 20         // bytes of an answer of the issuer
	issuerWaits = 5 * time.Second
)

// open is the issuer of some flags; nil: no tokens are taken. The issuer is not asked yet: it may be down when the controller starts.
func (o *oidcFlags) open() (*issuer, error) {
	if o.issuer == "" {
		return nil, nil
	}
	at, err := url.Parse(o.issuer)
	if err != nil || at.Scheme != "https" || at.Host == "" {
		return nil, fmt.Errorf("--oidc-issuer %s: use an https URL, as the issuer writes it into its tokens", o.issuer)
	}
	if o.audience == "" {
		return nil, errors.New("--oidc-audience: is empty; tokens for somebody else would be taken")
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.ca != "" {
		data, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, fmt.Errorf("--oidc-ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("--oidc-ca: %s holds no PEM certificate", o.ca)
		}
	}
	return &issuer{
		tokens: auth.Tokens{Issuer: o.issuer, Audience: o.audience, Groups: o.groups, Name: o.name}, now: time.Now,
		client: &http.Client{
			Transport: &http.Transport{TLSClientConfig: t, Proxy: http.ProxyFromEnvironment}, Timeout: issuerWaits,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return errors.New("it sends elsewhere, which is not followed")
			},
		},
	}, nil
}

// identity is who a token is of.
func (i *issuer) identity(ctx context.Context, token string) (auth.Identity, error) {
	keys, err := i.known(ctx, false)
	if err != nil {
		return auth.Identity{}, err
	}
	who, err := i.tokens.Identity(token, keys, i.now())
	if !errors.Is(err, auth.ErrKey) {
		return who, err
	}
	if keys, err = i.known(ctx, true); err != nil {
		return auth.Identity{}, err
	}
	return i.tokens.Identity(token, keys, i.now())
}

// known are the keys of the issuer. Where it does not answer those from before are good for an hour.
func (i *issuer) known(ctx context.Context, another bool) ([]jose.JSONWebKey, error) {
	keys, since, fresh := i.kept()
	if fresh && !another {
		return keys, nil
	}
	i.fetching.Lock()
	defer i.fetching.Unlock()
	if now, when, fresh := i.kept(); fresh && when.After(since) { // somebody else has asked meanwhile
		return now, nil
	}
	now := i.now()
	if now.Sub(i.tried) < keysAgain {
		if !fresh {
			return nil, fmt.Errorf("the keys of %s are not known; call again in %s", i.tokens.Issuer, keysAgain)
		}
		return keys, nil
	}
	i.tried = now
	got, err := i.fetch(context.WithoutCancel(ctx))
	switch {
	case err != nil && fresh:
		return keys, nil
	case err != nil:
		return nil, fmt.Errorf("the keys of %s: %w", i.tokens.Issuer, err)
	}
	i.mu.Lock()
	i.keys, i.fetched = got, now
	i.mu.Unlock()
	return got, nil
}

// kept are the keys from before, since when, and whether they are good still.
func (i *issuer) kept() ([]jose.JSONWebKey, time.Time, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys, i.fetched, !i.fetched.IsZero() && i.now().Sub(i.fetched) < keysLast
}

// fetch asks the issuer for its keys (OpenID Connect Discovery §4).
func (i *issuer) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	var about struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := i.get(ctx, strings.TrimSuffix(i.tokens.Issuer, "/")+"/.well-known/openid-configuration", &about); err != nil {
		return nil, err
	}
	if about.Issuer != i.tokens.Issuer {
		return nil, fmt.Errorf("it says that it is %q", about.Issuer)
	}
	if !strings.HasPrefix(about.Keys, "https://") {
		return nil, fmt.Errorf("its keys are at %q; only https is followed", about.Keys)
	}
	var keys jose.JSONWebKeySet
	err := i.get(ctx, about.Keys, &keys)
	return keys.Keys, err
}

func (i *issuer) get(ctx context.Context, at string, into any) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	r, err := i.client.Do(q)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", at, r.Status)
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, mostKeys)).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}
