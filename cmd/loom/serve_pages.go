package main

import (
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/loomfabric/loom/pkg/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// mostScrapes is how many may be answered at the same time: each walks over all devices.
const mostScrapes = 4

// profilesAt is where profiles are, as go tool pprof looks for them.
const profilesAt = "/debug/pprof/"

// pages are what is at the address of REST beside its calls: metrics, and profiles of the process where --pprof asks for them.
func (s *serving) pages(calls http.Handler) http.Handler {
	metrics := api.Permit(s.book, auth.Read, promhttp.HandlerFor(s.measures.registry, promhttp.HandlerOpts{MaxRequestsInFlight: mostScrapes}))
	profiles := api.Permit(s.book, auth.Operate, profiles())
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch {
		case q.Method == http.MethodGet && q.URL.Path == "/metrics":
			metrics.ServeHTTP(w, q)
		case q.Method == http.MethodGet && s.profiled && strings.HasPrefix(q.URL.Path, profilesAt):
			profiles.ServeHTTP(w, q)
		default:
			calls.ServeHTTP(w, q)
		}
	})
}

func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(profilesAt, pprof.Index)
	mux.HandleFunc(profilesAt+"cmdline", pprof.Cmdline)
	mux.HandleFunc(profilesAt+"profile", pprof.Profile)
	mux.HandleFunc(profilesAt+"symbol", pprof.Symbol)
	mux.HandleFunc(profilesAt+"trace", pprof.Trace)
	return mux
}
