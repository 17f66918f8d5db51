package controller

import (
	"encoding/json"
	"testing"
	"time"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
)

// A controller that begins anew tells of a device what is other than what was told, and nothing else; what stays keeps its time.
func TestOfADeviceThatStandsWhereItStoodNothingIsTold(t *testing.T) {
	t.Parallel()
	later := noon.Add(time.Hour)
	for _, c := range []struct {
		name       string
		before     func(d *Device, want *config.Tree) // until the controller ends
		has        func(want *config.Tree) *config.Tree
		lost       bool // it does not answer
		failure    string
		status     Status
		told       bool // that it stands elsewhere
		came, gone int
	}{
		{"it has what is intended", nil, nil, false, "", InSync, false, 0, 0},
		{"it has what is intended, and did not", drifting(t, 2), nil, false, "", InSync, true, 0, 1},
		{"it has drifted as it had", drifting(t, 2), func(w *config.Tree) *config.Tree { return with(t, w, 2, 1500) }, false, "", Drifted, false, 0, 0},
		{"it has drifted further", drifting(t, 2), func(w *config.Tree) *config.Tree { return with(t, with(t, w, 2, 1500), 3, 1500) }, false, "", Drifted, true, 1, 0},
		{"it has drifted elsewhere", drifting(t, 2), func(w *config.Tree) *config.Tree { return with(t, w, 3, 1500) }, false, "", Drifted, true, 1, 1},
		{"it has drifted, and had not", nil, func(w *config.Tree) *config.Tree { return with(t, w, 3, 1500) }, false, "", Drifted, true, 1, 0},
		{"it does not answer", nil, nil, true, "", Unreachable, true, 0, 0},
		{"it does not answer, and did not", func(d *Device, _ *config.Tree) { d.Lose("no route", noon) }, nil, true, "", Unreachable, false, 0, 0},
		{"a transaction had left it so", func(d *Device, _ *config.Tree) { d.Leave("half", noon); d.End(noon) }, nil, false, "half", Failed, false, 0, 0},
		{"a transaction has left it so, and nobody was told", nil, nil, false, "half", Failed, true, 0, 0},
		{"a transaction was at work", func(d *Device, _ *config.Tree) { d.Begin("tx", noon) }, nil, false, "", InSync, true, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			old, want := device(t)
			if c.before != nil {
				c.before(old, want)
			}
			data, err := json.Marshal(old.Standing().Told())
			var was Told
			if err == nil {
				err = json.Unmarshal(data, &was)
			}
			if err != nil {
				t.Fatal(err)
			}
			d := &Device{Name: "leaf1", Schema: srl.Schema, Owned: func(has, _ *config.Tree) *config.Tree { return has }}
			d.Recall(was)
			has := want
			if c.has != nil {
				has = c.has(want)
			}
			var told, known bool
			var came, gone int
			for _, step := range []func() News{
				func() News { return d.Want(Target{1, want}, later) },
				func() News { return d.Resume(Target{1, want}, c.failure, later) },
				func() News {
					if c.lost {
						return d.Lose("no route", later)
					}
					return d.Connect(later)
				},
				func() News {
					if c.lost {
						return News{}
					}
					return d.Read(has, d.Ask(), later)
				},
			} {
				n := step()
				told, known, came, gone = told || n.Status, known || n.Known, came+len(n.Came), gone+len(n.Gone)
			}
			s := d.Standing()
			if s.Status != c.status || told != c.told || known == told || came != c.came || gone != c.gone {
				t.Errorf("it is %s (%s); told %t, known %t, %d came, %d went; want %s, %t, %d, %d", s.Status, s.Reason, told, known, came, gone, c.status, c.told, c.came, c.gone)
			}
			if !c.told && !s.Since.Equal(noon) || c.told && !s.Since.Equal(later) {
				t.Errorf("it stands there since %v", s.Since)
			}
			for _, x := range s.Drifts {
				if was := x.Path == mtuPath(2).String(); was != x.Since.Equal(noon) {
					t.Errorf("%s is there since %v", x.Path, x.Since)
				}
			}
		})
	}
}

// drifting has somebody change a port.
func drifting(t *testing.T, port int) func(d *Device, want *config.Tree) {
	return func(d *Device, want *config.Tree) {
		d.Told()
		d.Read(with(t, want, port, 1500), d.Ask(), noon)
	}
}
