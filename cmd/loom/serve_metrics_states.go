package main

import (
	"context"
	"maps"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/prometheus/client_golang/prometheus"
)

// standings are all where a device can stand.
var standings = []controller.Status{
	controller.Refused, controller.Unreachable, controller.Applying, controller.Failed, controller.Syncing, controller.Drifted, controller.Pending, controller.InSync,
}

// scraping is how long the store may take to answer one scrape.
const scraping = 2 * time.Second

// states are metrics of how things stand, found out whenever somebody asks. Of devices there are four each, whatever is wrong with them:
// no label has a path, a tenant or a text.
type states struct {
	s *serving

	followed, revision, running           *prometheus.Desc
	devices, drifts, findings             *prometheus.Desc
	reachable, deviceDrifts, heard, skips *prometheus.Desc
	size, used                            *prometheus.Desc
}

func (m *measures) states(s *serving) *states {
	return &states{
		s:            s,
		followed:     m.told("loom_topology_followed", "gauge", "whether the devices of a topology are followed by this process: 1, or 0 where that is not possible (loom events says why)", "topology"),
		revision:     m.told("loom_topology_revision", "gauge", "number of the revision that devices are held against", "topology"),
		running:      m.told("loom_transactions_running", "gauge", "transactions that change devices now: 0 or 1", "topology"),
		devices:      m.told("loom_devices", "gauge", "devices, by where they stand: in sync, pending, drifted, syncing, applying, failed, unreachable, refused", "topology", "status"),
		drifts:       m.told("loom_drifts", "gauge", "leaves of all devices that are not as intended", "topology"),
		findings:     m.told("loom_findings", "gauge", "findings of the topology, consequences of others included, by kind; one that is over goes to 0", "topology", "kind"),
		reachable:    m.told("loom_device_reachable", "gauge", "whether the device answers, and is who it should be", "topology", "device"),
		deviceDrifts: m.told("loom_device_drifts", "gauge", "leaves of the device that are not as intended", "topology", "device"),
		heard:        m.told("loom_device_leaves_received_total", "counter", "leaves of configuration that the device's subscription has told of", "topology", "device"),
		skips:        m.told("loom_device_leaves_coalesced_total", "counter", "of these, those that a later value took the place of before anybody had looked, or that changed nothing", "topology", "device"),
		size:         m.told("loom_store_bytes", "gauge", "size of the store's database on the disk; of a cluster, at the first member that answers"),
		used:         m.told("loom_store_used_bytes", "gauge", "of it, what is in use"),
	}
}

// Describe implements prometheus.Collector.
func (c *states) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.followed, c.revision, c.running, c.devices, c.drifts, c.findings, c.reachable, c.deviceDrifts, c.heard, c.skips, c.size, c.used} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *states) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	c.s.mu.Lock()
	fabrics, without := maps.Clone(c.s.fabrics), maps.Clone(c.s.without)
	c.s.mu.Unlock()
	for name := range without {
		if fabrics[name] == nil {
			gauge(c.followed, 0, name)
		}
	}
	for _, f := range fabrics {
		gauge(c.followed, 1, f.name)
		c.collectFabric(f, gauge, out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), scraping)
	defer cancel()
	if size, err := c.s.store.Size(ctx); err == nil {
		gauge(c.size, float64(size.Bytes))
		gauge(c.used, float64(size.Used))
	}
}

func (c *states) collectFabric(f *fabricRun, gauge func(*prometheus.Desc, float64, ...string), out chan<- prometheus.Metric) {
	f.mu.Lock()
	agents, revision := maps.Clone(f.agents), f.revision
	f.mu.Unlock()
	stand, drifts := map[controller.Status]int{}, 0
	for name, a := range agents {
		s, received, coalesced := a.standing()
		stand[s.Status]++
		drifts += len(s.Drifts)
		gauge(c.reachable, truth(s.Status != controller.Unreachable && s.Status != controller.Refused), f.name, name)
		gauge(c.deviceDrifts, float64(len(s.Drifts)), f.name, name)
		out <- prometheus.MustNewConstMetric(c.heard, prometheus.CounterValue, float64(received), f.name, name)
		out <- prometheus.MustNewConstMetric(c.skips, prometheus.CounterValue, float64(coalesced), f.name, name)
	}
	for _, status := range standings {
		gauge(c.devices, float64(stand[status]), f.name, string(status))
	}
	gauge(c.drifts, float64(drifts), f.name)
	gauge(c.revision, float64(revision), f.name)
	gauge(c.running, truth(f.runs.Load() != nil), f.name)
	for kind, n := range f.watch.count() {
		gauge(c.findings, float64(n), f.name, string(kind))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
