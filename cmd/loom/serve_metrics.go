package main

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/prometheus/client_golang/prometheus"
	common "github.com/prometheus/client_golang/prometheus/collectors"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// measures are what Prometheus is told of a controller. Each is declared in newMeasures or states, and nowhere else; docs/metrics.md is
// made of that. A nil *measures is told everything, and keeps nothing.
type measures struct {
	registry *prometheus.Registry
	list     []metric

	calls        *prometheus.CounterVec
	callSeconds  *prometheus.HistogramVec
	streams      *prometheus.GaugeVec
	commits      *prometheus.CounterVec
	commitTime   *prometheus.HistogramVec
	kept, lost   *prometheus.CounterVec
	transactions *prometheus.CounterVec
	took         *prometheus.HistogramVec
	waveTook     *prometheus.HistogramVec
}

// metric is one, as documented.
type metric struct {
	name, kind, help string
	labels           []string
}

// Limits of the buckets of histograms, in seconds.
var (
	ofCommits      = prometheus.ExponentialBuckets(0.0005, 2, 14) // 0.5 ms to 4 s
	ofCalls        = prometheus.ExponentialBuckets(0.001, 2, 16)  // 1 ms to 33 s
	ofTransactions = prometheus.ExponentialBuckets(0.1, 2, 16)    // 0.1 s to 55 min
)

func newMeasures(s *serving) *measures {
	m := &measures{registry: prometheus.NewRegistry()}
	m.calls = m.counters("loom_api_calls_total", "calls of the API that have ended, those over REST included, by full gRPC method and gRPC code", "method", "code")
	m.callSeconds = m.histograms("loom_api_call_seconds", "how long calls of the API took, without streams", ofCalls, "method")
	m.streams = m.gauges("loom_api_streams", "streams of the API that are open", "method")
	m.commits = m.counters("loom_store_commits_total", "transactions of the store, by outcome: committed, conflict (others were faster, nothing was written), unknown (the answer was lost), failed", "outcome")
	m.commitTime = m.histograms("loom_store_commit_seconds", "how long transactions of the store took until they were durable", ofCommits)
	m.kept = m.counters("loom_events_kept_total", "events that were written into the store in batches, those of devices above all")
	m.lost = m.counters("loom_events_lost_total", "events that came faster than they could be kept, or that the store has not taken")
	m.transactions = m.counters("loom_transactions_total", "transactions that have ended on devices, by outcome: done, unchanged, rolled back, mixed, interrupted", "topology", "outcome")
	m.took = m.histograms("loom_transaction_seconds", "how long transactions took that were begun by this process, waits for people included", ofTransactions, "topology", "outcome")
	m.waveTook = m.histograms("loom_transaction_wave_seconds", "of transactions that were done: from the last device of the wave before being read back (or the start) to the last one of this", ofTransactions, "topology")
	m.registry.MustRegister(common.NewGoCollector(), common.NewProcessCollector(common.ProcessCollectorOpts{}), m.states(s))
	m.told("loom_build_info", "gauge", "1; which loom this is, and what built it", "version", "go")
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "loom_build_info", Help: m.list[len(m.list)-1].help, ConstLabels: prometheus.Labels{"version": versionText(), "go": runtime.Version()}})
	build.Set(1)
	m.registry.MustRegister(build)
	return m
}

func (m *measures) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	m.told(name, "counter", help, labels...)
	return c
}

func (m *measures) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	c := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	m.told(name, "gauge", help, labels...)
	return c
}

func (m *measures) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	c := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(c)
	m.told(name, "histogram", help, labels...)
	return c
}

// told puts a metric on the list, and describes it.
func (m *measures) told(name, kind, help string, labels ...string) *prometheus.Desc {
	m.list = append(m.list, metric{name, kind, help, labels})
	return prometheus.NewDesc(name, help, labels, nil)
}

// ofCalls counts calls, those that are denied included.
func (m *measures) ofCalls() []grpc.ServerOption {
	if m == nil {
		return nil
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, q any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			began := time.Now()
			answer, err := next(ctx, q)
			m.callSeconds.WithLabelValues(info.FullMethod).Observe(time.Since(began).Seconds())
			m.calls.WithLabelValues(info.FullMethod, status.Code(err).String()).Inc()
			return answer, err
		}),
		grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			open := m.streams.WithLabelValues(info.FullMethod)
			open.Inc()
			err := next(srv, s)
			open.Dec()
			m.calls.WithLabelValues(info.FullMethod, status.Code(err).String()).Inc()
			return err
		}),
	}
}

// committed takes that the store has tried a transaction.
func (m *measures) committed(took time.Duration, err error) {
	if m == nil {
		return
	}
	outcome := "failed"
	switch {
	case err == nil:
		outcome = "committed"
		m.commitTime.WithLabelValues().Observe(took.Seconds())
	case errors.Is(err, store.ErrConflict):
		outcome = "conflict"
	case errors.Is(err, store.ErrUnknown):
		outcome = "unknown"
	}
	m.commits.WithLabelValues(outcome).Inc()
}

func (m *measures) eventsKept(n int) {
	if m != nil {
		m.kept.WithLabelValues().Add(float64(n))
	}
}

func (m *measures) eventsLost(n int) {
	if m != nil {
		m.lost.WithLabelValues().Add(float64(n))
	}
}

// ended takes that a transaction has ended. One that an earlier process has begun has no duration.
func (m *measures) ended(topology string, outcome transaction.Outcome, took time.Duration, waves waveClock) {
	if m == nil || outcome == "" {
		return
	}
	m.transactions.WithLabelValues(topology, string(outcome)).Inc()
	if took > 0 {
		m.took.WithLabelValues(topology, string(outcome)).Observe(took.Seconds())
	}
	if outcome == transaction.Done {
		for _, d := range waves.durations() {
			m.waveTook.WithLabelValues(topology).Observe(d.Seconds())
		}
	}
}

// waveClock is when the last device of each wave was read back, since the transaction began.
type waveClock map[int]time.Duration

func (w waveClock) hear(e transaction.Event) {
	if e.Status == transaction.Verified {
		w[e.Wave] = max(w[e.Wave], e.Took)
	}
}

// durations are those of the waves, in their order.
func (w waveClock) durations() []time.Duration {
	var out []time.Duration
	before := time.Duration(0)
	ends := make([]time.Duration, 0, len(w))
	for _, end := range w {
		ends = append(ends, end)
	}
	slices.Sort(ends)
	for _, end := range ends {
		out = append(out, end-before)
		before = end
	}
	return out
}
