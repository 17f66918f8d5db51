package config

import (
	"fmt"
	"testing"
)

// What is read by schema nodes is what holds: a value, or the default, also where nothing is.
func TestSchemasReadWhatHolds(t *testing.T) {
	t.Parallel()
	tree := parse(t, `{"system": {"mtu": 1500, "dns": {"server": ["10.0.0.2", "10.0.0.1"]}}, "interface": [{"name": "lag1", "mtu": 9100, "subinterface": [{"index": 0, "ipv4": {"admin-state": "enable"}}]}, {"name": "lag2"}]}`)
	root, nothing := tree.Root(), Cursor{}
	list := model.At(root, idInterface)
	e1, e2 := list.Entry("lag1"), list.Entry("lag2")
	sub := model.At(e1, idSub).Entry("0")
	for name, c := range map[string]struct{ got, want any }{
		"a value":                               {model.Number(root, idMTU), uint64(1500)},
		"a value below containers":              {model.Text(sub, idV4Admin), "enable"},
		"a value in an entry":                   {model.Number(e1, idIfMTU), uint64(9100)},
		"a default":                             {model.Text(e2, idAdmin), "enable"},
		"a default where its container is not":  {model.Number(root, idTimeout), uint64(5)},
		"a default below nothing":               {model.Text(nothing, idAdmin), "enable"},
		"nothing where there is no default":     {model.Text(e2, idDescription), ""},
		"zero where there is no default":        {model.Number(nothing, idIfMTU), uint64(0)},
		"what a flag says that is not there":    {model.True(root, idFlag), false},
		"the values of a leaf-list":             {fmt.Sprint(model.Texts(root, idServer)), "[10.0.0.2 10.0.0.1]"},
		"no values where there is no leaf-list": {len(model.Texts(nothing, idServer)), 0},
		"a node that is there":                  {model.Has(root, idDNS), true},
		"a node that is not":                    {model.Has(e2, idSub), false},
		"itself":                                {model.At(e1, idInterface) == e1, true},
		"no way through a list":                 {model.Has(root, idIfMTU), false},
		"nothing above":                         {model.Has(e1, idSystem), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
	n := 0
	for range model.Entries(root, idInterface) {
		n++
	}
	if n != 2 {
		t.Errorf("%d entries", n)
	}
}
