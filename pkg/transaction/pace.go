package transaction

import (
	"sync"
	"time"
)

// pace is how long actions usually take. One that takes much longer gives its place to another, and goes on: a device
// that hangs must not keep the others waiting, least of all where a tenth of all hang. The zero value knows of none yet.
type pace struct {
	mu    sync.Mutex
	usual time.Duration // moving average; one that hung counts as mostPatience
}

// An action keeps its place for twice as long as is usual, within these bounds: scheduling on a busy machine takes the first, and
// whoever needs longer than the second works for himself and not for us.
const (
	leastPatience = 10 * time.Millisecond
	mostPatience  = 200 * time.Millisecond
)

// patience is how long an action keeps its place.
func (p *pace) patience() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.usual == 0 {
		return mostPatience
	}
	return min(max(2*p.usual, leastPatience), mostPatience)
}

// took notes how long an action took.
func (p *pace) took(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d = min(max(d, 1), mostPatience)
	if p.usual == 0 {
		p.usual = d
		return
	}
	p.usual += (d - p.usual) / 8
}
