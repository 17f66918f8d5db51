package speaker

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"testing"
)

func TestEveryEndHasAnAddressOfItsOwnUntilThereAreNone(t *testing.T) {
	t.Parallel()
	var b addressBlock
	taken := map[netip.Addr]bool{}
	for range 65535 {
		a, err := b.take()
		if err != nil || taken[a] || !netip.MustParsePrefix("127.48.0.0/16").Contains(a) {
			t.Fatalf("%v after %d, error %v", a, len(taken), err)
		}
		taken[a] = true
	}
	if a, err := b.take(); err == nil {
		t.Fatalf("%v is given to two", a)
	}
	back := netip.MustParseAddr("127.48.3.7")
	b.giveBack(back)
	if a, err := b.take(); a != back || err != nil {
		t.Errorf("%v, error %v; %v was given back", a, err, back)
	}
}

// A stalled path keeps what is said for when it works again, but not without end: then the connection is lost.
func TestAStalledPathKeepsSoMuch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		messages int
		lost     bool
	}{
		"as much as there is room for":    {mostHeld / maxMessage, false},
		"one more than there is room for": {mostHeld/maxMessage + 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			near, far := connection(t)
			f := &flow{to: near}
			f.hold(true)
			for i := range test.messages {
				if f.pass(bytes.Repeat([]byte{byte(i)}, maxMessage)) {
					t.Fatal("a message gets through")
				}
			}
			if len(f.queue) > mostHeld {
				t.Errorf("%d bytes are kept, more than %d", len(f.queue), mostHeld)
			}
			go func() { f.hold(false); f.end() }()
			got, err := io.ReadAll(far)
			if lost := err != nil; lost != test.lost || !lost && len(got) != test.messages*maxMessage {
				t.Errorf("%d bytes arrive of %d messages, error %v", len(got), test.messages, err)
			}
		})
	}
}

// connection returns both ends of a TCP connection.
func connection(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	called, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	answered, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { called.Close(); answered.Close() })
	return called.(*net.TCPConn), answered.(*net.TCPConn)
}
