package controller

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestFourEyes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		eyes    FourEyes
		classes []string
		by      string
		refused bool
	}{
		{"nobody has asked for it", nil, []string{"renumber"}, "ann", false},
		{"the author does not approve", FourEyes{"renumber"}, []string{"renumber"}, "ann", true},
		{"nor who wrote the revision", FourEyes{"renumber"}, []string{"renumber"}, "bob", true},
		{"somebody else does", FourEyes{"renumber"}, []string{"renumber"}, "eve", false},
		{"other classes the author approves", FourEyes{"renumber"}, []string{"many-devices"}, "ann", false},
		{"one among several is enough", FourEyes{"renumber"}, []string{"many-devices", "renumber"}, "ann", true},
		{"all are all", FourEyes{"all"}, []string{"many-devices"}, "ann", true},
	} {
		err := tt.eyes.Refuse("plan-1", tt.classes, tt.by, []string{"ann", "bob"}, []string{"certificate:eve"})
		if errors.Is(err, ErrNotYou) != tt.refused {
			t.Errorf("%s: %v", tt.name, err)
		}
		if tt.refused && !strings.Contains(err.Error(), "certificate:eve") {
			t.Errorf("%s: %v does not say who may", tt.name, err)
		}
	}
}

func TestAnAuthorsApprovalDoesNotCountWhereFourEyesAreAskedForLater(t *testing.T) {
	t.Parallel()
	p := &Planned{Hash: "h", Approvals: []Approval{
		{By: "ann", Hash: "h", Classes: []string{"renumber", "many-devices"}}, {By: "eve", Hash: "old", Classes: []string{"renumber"}},
	}}
	if got := (FourEyes{"renumber"}).Approved(p, []string{"ann"}); !slices.Equal(got, []string{"many-devices"}) {
		t.Errorf("approved are %v", got)
	}
	p.Approvals = append(p.Approvals, Approval{By: "eve", Hash: "h", Classes: []string{"renumber"}})
	if got := (FourEyes{"renumber"}).Approved(p, []string{"ann"}); !slices.Equal(got, []string{"many-devices", "renumber"}) {
		t.Errorf("approved are %v", got)
	}
}
