package speaker

import (
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// BenchmarkLive64 runs a fabric of 60 leaves and 4 spines, all sessions of both layers: eBGP on unnumbered links, and
// EVPN over iBGP with the spines as reflectors, 10 EVPN routes a leaf that all leaves import.
func BenchmarkLive64(b *testing.B) {
	for b.Loop() {
		l := fabric(b, 4, 60, 10)
		start := time.Now()
		l.until("all sessions stand", established(l.network.names...))
		sessions := time.Since(start)
		l.until("every leaf has all routes", func(r network.Routing) bool {
			for i := range 60 {
				if n := len(r.Paths(leafName(i), network.L2EVPN)); n != 10+4*59*10 {
					return false
				}
			}
			return true
		})
		b.ReportMetric(time.Since(start).Seconds(), "s-converged")
		b.ReportMetric(sessions.Seconds(), "s-sessions")
		b.ReportMetric(peak(), "rss-MB")
		debug.FreeOSMemory()
		b.ReportMetric(rss(), "settled-MB")
		l.network.Close()
	}
}

// BenchmarkPool says what starting all speakers took, and what one that waits costs.
func BenchmarkPool(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(poolStart.Seconds(), "s-all")
		b.ReportMetric(poolMemory*1024/Capacity, "KB/speaker")
	}
}

// rss is the resident memory of the process in MB, peak what it has been at most.
func rss() float64  { return status("VmRSS:") }
func peak() float64 { return status("VmHWM:") }

func status(field string) float64 {
	all, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, after, _ := strings.Cut(string(all), field)
	kb, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	if err != nil {
		panic(err)
	}
	return kb / 1024
}

func leafName(i int) string { return fmt.Sprintf("leaf%02d", i) }

// fabric is a fabric of spines and leaves, routes for each leaf.
func fabric(b testing.TB, spines, leaves, routes int) *lab {
	var names []string
	for i := range spines {
		names = append(names, fmt.Sprintf("spine%d", i))
	}
	for i := range leaves {
		names = append(names, leafName(i))
	}
	l := newLab(b, names...)
	l.multicast = routes == 0
	for _, spine := range names[:spines] {
		bgpOf(l.routers[spine]).AS = 65000 // as in most fabrics: leaves never are between spines
	}
	for _, leaf := range names[spines:] {
		for _, spine := range names[:spines] {
			l.joinUnnumbered(leaf, spine)
			l.reflect(spine, leaf)
		}
		l.bridge(leaf, "65000:10")
		l.announced[leaf] = nil
		for i := range routes {
			l.announced[leaf] = append(l.announced[leaf], hostRoute(l.routers[leaf], byte(i), "65000:10"))
		}
	}
	return l
}

// hostRoute is a MAC route of a leaf.
func hostRoute(r *network.Router, host byte, rt network.RT) network.Route {
	vtep := loopback(r)
	last := vtep.As4()[3]
	return network.Route{
		NLRI: network.NLRI{Family: network.L2EVPN, Type: network.MACIP, RD: network.RD(vtep.String() + ":10"),
			MAC: network.MAC{2, 1, 0, 0, last, host}, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168, last, host + 1}), 32)},
		Origin: r.Name, Instance: "bridge", Protocol: "bgp-evpn", NextHop: vtep, VNI: 10, Targets: []network.RT{rt}, Encap: network.OverVXLAN,
	}
}
