package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/loomfabric/loom/pkg/api"
)

// restServer is REST as callers reach it: HTTPS with TLS 1.3 and the same certificates as gRPC.
type restServer struct {
	listener net.Listener
	http     *http.Server
	gateway  *api.REST
}

// listenREST listens where REST is to be spoken. Nothing: nowhere.
func listenREST(rest, grpc string) (net.Listener, error) {
	if rest == "none" {
		return nil, nil
	}
	if rest == "" {
		var err error
		if rest, err = nextPort(grpc); err != nil {
			return nil, fmt.Errorf("--listen %s: %w; say with --rest where REST is to be spoken", grpc, err)
		}
	}
	l, err := net.Listen("tcp", rest)
	if err != nil {
		return nil, fmt.Errorf("--rest %s: %w; use another host:port, or none", rest, err)
	}
	return l, nil
}

// nextPort is an address with the next port; port 0 is any.
func nextPort(address string) (string, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	port, err := net.LookupPort("tcp", service)
	if err != nil {
		return "", err
	}
	if port != 0 {
		port++
	}
	return net.JoinHostPort(host, strconv.Itoa(port)), nil
}

// openREST is REST behind a door; nothing where it is not spoken.
func (s *serving) openREST(d *door) (*restServer, error) {
	if d.rest == nil {
		return nil, nil
	}
	gateway, err := api.NewREST(mostMessage, s.services)
	if err != nil {
		return nil, fmt.Errorf("--rest: %w", err)
	}
	return &restServer{d.rest, &http.Server{
		Handler: s.pages(gateway), TLSConfig: d.tls, MaxHeaderBytes: mostHeaders,
		ReadHeaderTimeout: 10 * time.Second, // and for the handshake; bodies and answers have deadlines of their own
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}, gateway}, nil
}

func (r *restServer) serve() error {
	if err := r.http.ServeTLS(r.listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("REST: %w", err)
	}
	return nil
}

// stop lets calls end, but not for ever.
func (r *restServer) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if r.http.Shutdown(ctx) != nil {
		_ = r.http.Close()
	}
	_ = r.gateway.Close()
}
