package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/verify"
)

// keptMargins is the file in which a watch keeps the margins of channels, so that the next one goes on with their slopes. It is bounded, as a
// History is, and written as a whole: it is either the old one or the new one.
type keptMargins struct {
	name    string
	written time.Time
	failed  bool // which was said
}

// keepEvery is the time between two writes. What came in after the last one is lost with the machine, not with the process.
const keepEvery = time.Minute

// marginsFile has one record a channel.
type marginsFile struct {
	Channels []channelMargins `json:"channels"`
}

type channelMargins struct {
	Channel string    `json:"channel"`
	Way     string    `json:"way"`     // that its light took: margins of another one are of another channel
	Step    float64   `json:"step_s"`  // between two samples at least
	At      []int64   `json:"at_ms"`   // since 1970
	Margin  []float64 `json:"margins"` // dB, one for each time
}

// routeKept says what the margin of a channel depends on by design.
func routeKept(c *fabric.Channel) string {
	return fmt.Sprintf("%v at %.5f THz, %s, %v", c.Lines, float64(c.Slot.Frequency()), c.Mode.Name, c.Power)
}

// read returns the history of the channels that are as they were when it was kept. What lies after now is from a clock that was wrong.
func (k *keptMargins) read(d *fabric.Design, now time.Time) (verify.History, error) {
	data, err := os.ReadFile(k.name)
	if errors.Is(err, fs.ErrNotExist) {
		return verify.History{}, nil
	}
	if err != nil {
		return verify.History{}, err
	}
	var f marginsFile
	if err := json.Unmarshal(data, &f); err != nil {
		return verify.History{}, fmt.Errorf("%s: %w; it is not what loom optics watch has written, which begins anew", k.name, err)
	}
	ways := map[string]string{}
	for i := range d.Channels {
		ways[d.Channels[i].Name] = routeKept(&d.Channels[i])
	}
	var kept []verify.Series
	for _, c := range f.Channels {
		if way, there := ways[c.Channel]; !there || way != c.Way || len(c.At) != len(c.Margin) {
			continue
		}
		s := verify.Series{Channel: c.Channel, Step: time.Duration(c.Step * float64(time.Second))}
		for i, ms := range c.At {
			if at := time.UnixMilli(ms); !at.After(now) && (i == 0 || ms > c.At[i-1]) {
				s.Samples = append(s.Samples, optics.Sample{At: at, Margin: optics.DB(c.Margin[i])})
			}
		}
		kept = append(kept, s)
	}
	return verify.HistoryOf(kept), nil
}

// write keeps a history, unless it was written a moment ago; last: in any case.
func (k *keptMargins) write(d *fabric.Design, h verify.History, now time.Time, last bool) error {
	if since := now.Sub(k.written); !last && since >= 0 && since < keepEvery {
		return nil
	}
	k.written = now
	ways := map[string]string{}
	for i := range d.Channels {
		ways[d.Channels[i].Name] = routeKept(&d.Channels[i])
	}
	f := marginsFile{Channels: []channelMargins{}}
	for _, s := range h.Series() {
		c := channelMargins{Channel: s.Channel, Way: ways[s.Channel], Step: s.Step.Seconds()}
		for _, one := range s.Samples {
			c.At, c.Margin = append(c.At, one.At.UnixMilli()), append(c.Margin, math.Round(float64(one.Margin)*1e4)/1e4)
		}
		f.Channels = append(f.Channels, c)
	}
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(k.name), 0o700); err != nil {
		return err
	}
	return writeFile(k.name, append(data, '\n'))
}

// complain says once that margins cannot be kept: a watch goes on without.
func (k *keptMargins) complain(t *terminal, err error) {
	if !k.failed {
		t.notef("margins are not kept, and the next watch begins anew: %v; use --data DIR, or $LOOM_DATA, for a directory that you may write\n", err)
	}
	k.failed = true
}
