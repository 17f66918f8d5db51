package main

import (
	"net/http"

	"github.com/loomfabric/loom/pkg/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// mostScrapes is how many may be answered at the same time: each walks over all devices.
const mostScrapes = 4

// pages are what is at the address of REST beside its calls: metrics.
func (s *serving) pages(calls http.Handler) http.Handler {
	metrics := api.Permit(s.book, auth.Read, promhttp.HandlerFor(s.measures.registry, promhttp.HandlerOpts{MaxRequestsInFlight: mostScrapes}))
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch {
		case q.Method == http.MethodGet && q.URL.Path == "/metrics":
			metrics.ServeHTTP(w, q)
		default:
			calls.ServeHTTP(w, q)
		}
	})
}
