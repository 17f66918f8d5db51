package transaction

import (
	"testing"
	"time"
)

func TestAnActionKeepsItsPlaceForTwiceAsLongAsIsUsual(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		took []time.Duration
		want time.Duration
	}{
		"nothing is usual yet":                   {nil, 200 * ms},
		"what the first took is usual":           {[]time.Duration{30 * ms}, 60 * ms},
		"what is usual moves slowly":             {[]time.Duration{30 * ms, 46 * ms}, 64 * ms},
		"a device in no time is still scheduled": {[]time.Duration{1}, 10 * ms},
		"a commit of seconds":                    {[]time.Duration{3 * time.Second, 4 * time.Second}, 200 * ms},
		"a device that hung for a minute":        {[]time.Duration{40 * ms, time.Minute}, 120 * ms},
	} {
		var p pace
		for _, d := range c.took {
			p.took(d)
		}
		if got := p.patience(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
