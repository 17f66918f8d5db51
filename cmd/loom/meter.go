package main

import (
	"sync"
	"time"
)

// meter shows how far a long piece of work is, in place, on a terminal, and only once it has taken
// a second. A nil meter shows nothing.
type meter struct {
	t     *terminal
	what  string
	total int
	start time.Time

	mu    sync.Mutex
	done  int
	shown bool
}

// meter begins to measure; a nil terminal, or one that nobody looks at, gives a nil meter.
func (t *terminal) meter(what string, total int) *meter {
	if t == nil || !t.live {
		return nil
	}
	return &meter{t: t, what: what, total: total, start: time.Now()}
}

// step says that one more is done.
func (m *meter) step() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done++
	if time.Since(m.start) > time.Second {
		m.shown = true
		m.t.notef("\r\x1b[K%d/%d %s", m.done, m.total, m.what)
	}
}

// end wipes what was shown.
func (m *meter) end() {
	if m != nil && m.shown {
		m.t.notef("\r\x1b[K")
	}
}
