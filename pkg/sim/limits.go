package sim

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// limits hold RPCs back as the gRPC server is configured to (srl_nokia-grpc.yang,
// /system/grpc-server/rate-limit and session-limit). Both are about the server, not about one client.
type limits struct {
	mu        sync.Mutex
	perMinute int           // what bucket was made for
	bucket    *rate.Limiter // nil: no limit
	sessions  int           // RPCs under way
	lines     int           // connections that are sessions of the server
}

// reset forgets what was counted before a boot. What is under way ends by itself.
func (l *limits) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.perMinute, l.bucket = 0, nil
}

// call counts an RPC, and refuses it where it is one too many: perMinute of them may come at once, and
// then one whenever its share of a minute has passed.
func (l *limits) call(perMinute int, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.perMinute != perMinute {
		l.perMinute, l.bucket = perMinute, nil
		if perMinute > 0 {
			l.bucket = rate.NewLimiter(rate.Limit(perMinute)/60, perMinute)
		}
	}
	if l.bucket == nil || l.bucket.AllowN(now, 1) {
		return nil
	}
	return status.Errorf(codes.ResourceExhausted, "Rate limit of %d RPCs per minute exceeded", perMinute)
}

// enter begins a session, which is any RPC while it lasts. Whoever was let in calls leave at its end.
func (l *limits) enter(most int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if most > 0 && l.sessions >= most {
		return status.Errorf(codes.ResourceExhausted, "Limit of %d active sessions reached", most)
	}
	l.sessions++
	return nil
}

// Calls is how many RPCs of all clients are under way.
func (d *Device) Calls() int {
	d.limits.mu.Lock()
	defer d.limits.mu.Unlock()
	return d.limits.sessions
}

func (l *limits) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sessions--
}

// connect counts a connection, and tells whether the server has room for it; 0: for any number.
func (l *limits) connect(most int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if most > 0 && l.lines >= most {
		return false
	}
	l.lines++
	return true
}

func (l *limits) disconnect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines--
}
