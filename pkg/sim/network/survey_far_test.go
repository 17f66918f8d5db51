package network

import "testing"

func TestRoutedSubinterfacesSeeEachOther(t *testing.T) {
	t.Parallel()
	tag := func(r *Router, low uint16) { r.sub(sub1).VLAN = VLAN{Tagged: true, Low: low, High: low} }
	for _, tt := range []struct {
		name   string
		change func(*lab)
		want   bool
	}{
		{"on two ports of one cable", nothing, true},
		{"with the same tag", func(l *lab) { tag(l.a(), 5); tag(l.b(), 5) }, true},
		{"not with different tags", func(l *lab) { tag(l.a(), 5); tag(l.b(), 6) }, false},
		{"not tagged on one side only", func(l *lab) { tag(l.a(), 5) }, false},
		{"untagged frames of a tagged port are what an untagged one sends", func(l *lab) { tag(l.a(), 0) }, true},
		{"not when one is down", func(l *lab) { l.b().sub(sub1).Enabled = false }, false},
		{"not when its instance is disabled", func(l *lab) { l.b().instance("default").Enabled = false }, false},
		{"not when the cable is cut", func(l *lab) { l.cut(0) }, false},
		{"not when one is bridged", func(l *lab) { l.b().sub(sub1).Kind = Bridged; l.b().instance("default").Kind = MACVRF }, false},
		{"not when there is a LAG on one side only", func(l *lab) { l.b().LAGs = []LAG{{Name: "lag1", Enabled: true}}; l.b().port(port1).LAG = "lag1" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := twoRouters()
			tt.change(l)
			p := l.survey()
			for own, far := range map[string]string{"a": "b", "b": "a"} {
				router, sub, ok := p.Far(own, sub1)
				if ok != tt.want || ok && (router != far || sub != sub1) {
					t.Errorf("%s sees %q %q %v; want %v", own, router, sub, ok, tt.want)
				}
			}
		})
	}
}

func TestSubinterfacesOfLAGsSeeEachOther(t *testing.T) {
	t.Parallel()
	l := twoLAGs()
	for i, r := range []*Router{l.a(), l.b()} {
		r.Subinterfaces = []Subinterface{routedSub("lag1", byte(i+1))}
		r.instance("default").Interfaces = []string{"lag1.0"}
	}
	l.cut(0)
	if router, sub, _ := l.survey().Far("a", "lag1.0"); router != "b" || sub != "lag1.0" {
		t.Errorf("with one member left a sees %q %q", router, sub)
	}
	l.cut(1)
	if router, sub, ok := l.survey().Far("a", "lag1.0"); ok {
		t.Errorf("without any a sees %q %q", router, sub)
	}
}
