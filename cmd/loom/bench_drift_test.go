package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
)

// BenchmarkDriftSeen changes a leaf of a device by hand, and measures how long it takes until the controller tells of it; while nothing
// else happens, and while two other devices change leaves as fast as they can. The floor is a client that subscribes to the
// same and looks at nothing: until the notification has come.
func BenchmarkDriftSeen(b *testing.B) {
	for _, busy := range []bool{false, true} {
		b.Run(map[bool]string{false: "idle", true: "others change"}[busy], func(b *testing.B) {
			c := newCared(b, filepath.Join("testdata", "pair.yaml"))
			const name = "leaf1"
			arrived := make(chan string, 1<<10)
			c.listen(name, func(n *gnmi.Notification) {
				for _, u := range n.GetUpdate() {
					arrived <- u.GetVal().GetStringVal() + string(u.GetVal().GetJsonIetfVal())
				}
			})
			var others atomic.Int64
			stop := make(chan struct{})
			var all sync.WaitGroup
			if busy {
				for _, other := range []string{"leaf2", "spine1"} {
					all.Go(func() { others.Add(c.chatter(other, stop)) })
				}
			}
			path := sortedKeys(c.descriptions(c.n.design.Device(name)))[0]
			var floor, seen samples
			began, n := time.Now(), 0
			for b.Loop() {
				n++
				value := fmt.Sprintf("drift %d", n)
				start := time.Now()
				c.box(name, map[string]string{path: value})
				for v := range arrived {
					if v == value || v == `"`+value+`"` {
						break
					}
				}
				floor.add(time.Since(start))
				c.until(func() string { return value }, func() bool {
					s := c.standing(name)
					return len(s.Drifts) == 1 && s.Drifts[0].Has == value
				})
				seen.add(time.Since(start))
			}
			close(stop)
			all.Wait()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(others.Load())/time.Since(began).Seconds(), "others/s")
			for what, s := range map[string]samples{"floor": floor, "seen": seen} {
				slices.Sort(s)
				b.ReportMetric(s.median().Seconds()*1e3, what+"-p50-ms")
				b.ReportMetric(s[len(s)*99/100].Seconds()*1e3, what+"-p99-ms")
			}
			b.ReportMetric(1000, "goal-ms")
		})
	}
}

// listen subscribes to a device as an agent does, until the test ends.
func (c *cared) listen(name string, on func(*gnmi.Notification)) {
	n, r := c.f.current()
	l, err := dial(c.Context(), n, r, name)
	c.check(err)
	ctx, cancel := context.WithCancel(context.Background())
	told, ended := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(ended)
		_ = l.Subscribe(ctx, mustPaths(drivers[l.design.OS].Manners.ReadPaths), gnmi.SubscriptionList_STREAM, func(n *gnmi.Notification) {
			if n == nil {
				leaveWord(told)
			}
			select {
			case <-told:
				leaveWord(told) // what is there at first is no news
				on(n)
			default:
			}
		})
	}()
	c.Cleanup(func() { cancel(); <-ended; _ = l.Close() })
	c.until(func() string { return name + " has not told all" }, func() bool { return len(told) > 0 })
}

// chatter changes leaves of a device until somebody stops it, and tells how many.
func (c *cared) chatter(name string, stop <-chan struct{}) (changes int64) {
	leaves := sortedKeys(c.descriptions(c.n.design.Device(name)))
	for {
		some := map[string]string{}
		for _, path := range leaves {
			changes++
			some[path] = fmt.Sprintf("change %d", changes)
		}
		c.box(name, some)
		select {
		case <-stop:
			return changes
		default:
		}
	}
}
