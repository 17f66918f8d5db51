package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every kind of leaf that the routers of the public lab have, or Loom's, or both, is a line of testdata/basic-dci-lab/leaves.txt: the
// role; whether it is the same in both, differs, or is one's alone; its path, in which names and addresses are left out or told by what
// they are for; Loom's value where all routers of the role have the same; and the row of docs/basic-dci-lab.md that says why. So nothing
// that Loom renders for that topology comes or goes without a word on the page.
//
// With LOOM_DCI_LAB, a copy of the lab, its own configurations are read, too, and with -update the lines are written anew: new ones have
// to be given their row by hand.
func TestEveryLeafOfTheDCILabIsAccountedFor(t *testing.T) {
	t.Parallel()
	n := networkOfFile(t, "../../topologies/basic-dci-lab.yaml")
	loom := map[string]labLeaves{}
	for name, tree := range n.trees {
		loom[name] = labLeaves{}
		loom[name].addJSON(nil, labTree(t, tree.AppendJSON(nil, true)))
	}
	file := filepath.Join("testdata", "basic-dci-lab", "leaves.txt")
	var lines []labLine
	for line := range strings.Lines(read(t, filepath.Join("cmd", "loom", file))) {
		lines = append(lines, parseLabLine(t, line))
	}
	if lab := os.Getenv("LOOM_DCI_LAB"); lab != "" {
		now := compareLab(readLab(t, lab), loom)
		why := map[string]string{}
		for _, l := range lines {
			why[l.role+l.path] = l.row
		}
		for i := range now {
			if now[i].how != "same" {
				now[i].row = cmp.Or(why[now[i].role+now[i].path], "?")
			}
		}
		if *update {
			writeLabLines(t, file, now)
			lines = now
		}
		if got, want := labTexts(now), labTexts(lines); !slices.Equal(got, want) {
			t.Errorf("%s is not what the lab and Loom have: LOOM_DCI_LAB=... go test ./cmd/loom -run %s -update writes it anew", file, t.Name())
		}
	}
	holdsForLoom(t, file, lines, loom)
	holdsOnPage(t, file, lines)
}

// holdsForLoom holds Loom's half of the lines against what it renders.
func holdsForLoom(t *testing.T, file string, lines []labLine, loom map[string]labLeaves) {
	t.Helper()
	known := map[string]labLine{}
	for _, l := range lines {
		known[l.role+" "+l.path] = l
	}
	rendered := map[string]map[string]bool{}
	for name, leaves := range loom {
		for path, values := range leaves {
			at := labRole(name) + " " + path
			if rendered[at] == nil {
				rendered[at] = map[string]bool{}
			}
			rendered[at][strings.Join(sortedKeys(values), ",")] = true
		}
	}
	for _, at := range sortedKeys(rendered) {
		l, ok := known[at]
		switch value := constant(rendered[at]); {
		case !ok:
			t.Errorf("Loom renders %s, of which %s has no line: add \"%s loom ... | ROW\", and the row of docs/basic-dci-lab.md that says why", at, file, labRole(at))
		case l.how == "lab":
			t.Errorf("Loom renders %s, and %s says that the lab alone has it", at, file)
		case l.value != value:
			t.Errorf("Loom renders %s as %q, and %s says %q", at, value, file, l.value)
		}
	}
	for at, l := range known {
		if l.how != "lab" && rendered[at] == nil {
			t.Errorf("%s says that Loom renders %s, and it does not", file, at)
		}
	}
}

// holdsOnPage holds the rows that lines name against those of the page.
func holdsOnPage(t *testing.T, file string, lines []labLine) {
	t.Helper()
	page := read(t, "docs/basic-dci-lab.md")
	rows := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([^|]+) \|`).FindAllStringSubmatch(page, -1) {
		rows[m[1]] = true
	}
	named := map[string]bool{}
	for _, l := range lines {
		switch {
		case l.how == "same" && l.row != "":
			t.Errorf("%s: %s %s is the same in both, and has a row", file, l.role, l.path)
		case l.how != "same" && !rows[l.row]:
			t.Errorf("%s: %s %s %s: docs/basic-dci-lab.md has no row %q", file, l.role, l.how, l.path, l.row)
		}
		named[l.row] = true
	}
	for row := range rows {
		if strings.Contains(section(page, "## Other differences"), "| "+row+" |") && row != "where" && row != "---" && !named[row] {
			t.Errorf("docs/basic-dci-lab.md: no leaf is of row %q", row)
		}
	}
}

// labLine is a line of the file: leaf same network-instance[default]/protocols/bgp/admin-state = enable | ROW.
type labLine struct{ role, how, path, value, row string }

func (l labLine) String() string {
	text := fmt.Sprintf("%-7s %-6s %s", l.role, l.how, l.path)
	if l.value != "" {
		text += " = " + l.value
	}
	if l.row != "" {
		text += " | " + l.row
	}
	return text
}

func parseLabLine(t *testing.T, line string) labLine {
	t.Helper()
	rest, row, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " | ")
	rest, value, _ := strings.Cut(rest, " = ")
	words := strings.Fields(rest)
	if len(words) != 3 {
		t.Fatalf("%q: no role, how and path", line)
	}
	return labLine{words[0], words[1], words[2], value, row}
}

func labTexts(lines []labLine) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = l.String()
	}
	return out
}

func writeLabLines(t *testing.T, file string, lines []labLine) {
	t.Helper()
	if err := os.WriteFile(file, []byte(strings.Join(labTexts(lines), "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// labLeaves are the leaves of a router by the kind of their path, with their values.
type labLeaves map[string]map[string]bool

func (l labLeaves) add(path []string, value string) {
	at := labRenamed.Replace(strings.Join(path, "/"))
	if l[at] == nil {
		l[at] = map[string]bool{}
	}
	l[at][value] = true
}

// addJSON adds what is below a node of a document without module names.
func (l labLeaves) addJSON(path []string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			l.add(path, "")
		}
		for name, value := range v {
			l.addJSON(append(slices.Clone(path), name), value)
		}
	case []any:
		for _, e := range v {
			if fields, ok := e.(map[string]any); ok {
				at := slices.Clone(path)
				at[len(at)-1] += labKind(at[len(at)-1], labKey(fields))
				l.addJSON(at, e)
			} else {
				l.addJSON(path, e)
			}
		}
	case nil:
		l.add(path, "")
	default:
		text := fmt.Sprint(v)
		if module, name, ok := strings.Cut(text, ":"); ok && strings.HasPrefix(module, "srl_nokia") {
			text = name
		}
		l.add(path, text)
	}
}

// labKeys are the keys of the lists of both, the more special ones first.
var labKeys = []string{
	"peer-address", "ip-address", "group-name", "interface-name", "port-id", "service-name", "vpls-name", "router-name", "afi-safi-name",
	"ip-prefix", "isis-instance", "level-number", "entry-id", "vxlan-instance", "bgp-instance", "route-type", "member", "value", "name", "index", "id",
	"slot-number", "mda-slot", "mac-type", "customer-name",
}

func labKey(fields map[string]any) string {
	for _, key := range labKeys {
		if v, ok := fields[key]; ok {
			return fmt.Sprint(v)
		}
	}
	return ""
}

// labRenamed is what the later release calls otherwise.
var labRenamed = strings.NewReplacer("multipath/max-paths-level-1", "multipath/maximum-paths")

// labKinds tell by its key what an entry of a list is for; the first that fits does.
var labKinds = []struct{ list, key, kind string }{
	{"interface", `^system`, "system"}, {"interface", `^ethernet-1/1(\.0)?$`, "client"}, {"interface", `^ethernet`, "fabric"}, {"interface", `^irb`, "irb"},
	{"interface", `^lo`, "loopback"}, {"interface", `^mgmt`, "management"}, {"interface", `^(p1|wan-)`, "wan"}, {"interface", `^(spine|fabric|bhvpls)`, "fabric"},
	{"network-instance", `^(default|mgmt)$`, "$1"}, {"network-instance", `^ip-vrf-101$`, "ip-vrf"}, {"network-instance", ``, "mac-vrf"},
	{"subinterface", `^system`, "system"}, {"subinterface", `^ethernet`, "fabric"},
	{"vxlan-interface", `^(vxlan1\.)?101$`, "ip-vrf"}, {"vxlan-interface", ``, "mac-vrf"},
	{"group", `underlay`, "underlay"}, {"group", `^(ibgp-evpn|overlay)$`, "overlay"}, {"group", ``, "wan"},
	{"neighbor", `^[12]\.`, "underlay"}, {"neighbor", `\.0\.0\.[12]\d$`, "overlay"}, {"neighbor", `\.0\.0\.3\d$`, "gateway"}, {"neighbor", ``, "wan"},
	{"port", `^\d+/\d+/c\d+$`, "connector"}, {"port", ``, "port"},
	{"afi-safi", `^(srl_nokia-common:)?(.*)$`, "$2"},
	{"policy", `export-to-underlay|underlay-export`, "underlay-export"}, {"policy", `import-from-underlay|underlay-import`, "underlay-import"}, {"policy", ``, "overlay"},
	{"policy-statement", `export-to-underlay|underlay-export`, "underlay-export"}, {"policy-statement", `^bhvpls|fabric-export`, "fabric-export"},
	{"policy-statement", `(underlay-import|fabric-import|wan-export|export-system)`, "$1"},
}

// labKind is what an entry of a list is for, in brackets, or nothing where all are alike.
func labKind(list, key string) string {
	for _, k := range labKinds {
		if re := regexp.MustCompile(k.key); k.list == list && re.MatchString(key) {
			return "[" + string(re.ExpandString(nil, k.kind, key, re.FindStringSubmatchIndex(key))) + "]"
		}
	}
	return ""
}

// constant is the value that all have; "" where they differ.
func constant(values map[string]bool) string {
	if len(values) == 1 {
		return sortedKeys(values)[0]
	}
	return ""
}

// labRole is what a router does: "leaf" of dc1-leaf1.
func labRole(name string) string {
	return regexp.MustCompile(`leaf|spine|gateway`).FindString(name)
}

// compareLab makes the lines: a leaf is the same where each router has the values that its counterpart has.
func compareLab(lab, loom map[string]labLeaves) []labLine {
	type seen struct {
		lab, loom, differs bool
		values             map[string]bool
	}
	all := map[[2]string]*seen{}
	for name := range loom {
		paths := maps.Clone(loom[name])
		maps.Copy(paths, lab[name])
		for path := range paths {
			at := [2]string{labRole(name), path}
			if all[at] == nil {
				all[at] = &seen{values: map[string]bool{}}
			}
			s, there, here := all[at], lab[name][path], loom[name][path]
			s.lab, s.loom = s.lab || there != nil, s.loom || here != nil
			s.differs = s.differs || !maps.Equal(there, here)
			if here != nil {
				s.values[strings.Join(sortedKeys(here), ",")] = true
			}
		}
	}
	var out []labLine
	for at, s := range all {
		how := "same"
		switch {
		case !s.loom:
			how = "lab"
		case !s.lab:
			how = "loom"
		case s.differs:
			how = "differ"
		}
		out = append(out, labLine{role: at[0], how: how, path: at[1], value: constant(s.values)})
	}
	slices.SortFunc(out, func(a, b labLine) int {
		return cmp.Or(cmp.Compare(a.role, b.role), cmp.Compare(a.path, b.path))
	})
	return out
}

// labNames are the keys of the lab's lists in its own notation, which leaves their names out; the first of both systems that fits.
var labNames = []struct{ list, under, key string }{
	{"interface", "configure", "interface-name"}, {"interface", "", "name"}, {"subinterface", "bfd", "id"}, {"subinterface", "", "index"},
	{"neighbor", "configure", "ip-address"}, {"neighbor", "", "peer-address"}, {"group", "", "group-name"}, {"afi-safi", "", "afi-safi-name"},
	{"vxlan-interface", "tunnel-interface", "index"}, {"vxlan-interface", "", "name"}, {"bgp-instance", "", "id"}, {"prefix", "", "ip-prefix"},
	{"address", "configure", "ipv6-address"}, {"address", "", "ip-prefix"}, {"populate", "", "route-type"}, {"advertise", "", "route-type"},
	{"port", "", "port-id"}, {"router", "", "router-name"}, {"isis", "", "isis-instance"}, {"level", "", "level-number"}, {"entry", "", "entry-id"},
	{"vpls", "configure/service/vprn", "vpls-name"}, {"vpls", "", "service-name"}, {"vprn", "", "service-name"}, {"instance", "", "vxlan-instance"},
	{"bgp", "", "bgp-instance"}, {"vxlan", "", "bgp-instance"}, {"member", "", "member"}, {"route", "", "ip-prefix"},
}

func labKeyName(path []string, list string) string {
	at := strings.Join(path, "/")
	for _, n := range labNames {
		if n.list == list && strings.HasPrefix(at, n.under) {
			return n.key
		}
	}
	return "name"
}

// readLab reads the configurations of the lab's routers, by Loom's names for them.
func readLab(t *testing.T, dir string) map[string]labLeaves {
	t.Helper()
	out := map[string]labLeaves{}
	for _, site := range []string{"dc1", "dc2"} {
		for _, name := range []string{"leaf1", "leaf2", "leaf3", "leaf4", "spine1", "spine2", "gateway1", "gateway2"} {
			file := name + "-" + site + ".cfg"
			if number, ok := strings.CutPrefix(name, "gateway"); ok {
				file = "dcgw" + number + "-" + site + ".partial.cfg"
			}
			text, err := os.ReadFile(filepath.Join(dir, "configs", file))
			if err != nil {
				t.Fatal(err)
			}
			leaves := labLeaves{}
			tokens := regexp.MustCompile(`#.*|"[^"]*"|[{}\[\]\n]|[^\s{}\[\]]+`).FindAllString(string(text), -1)
			leaves.addBraces(nil, slices.DeleteFunc(tokens, func(s string) bool { return s[0] == '#' }))
			out[site+"-"+name] = leaves
		}
	}
	return out
}

// addBraces adds a block of the notation with braces, and returns the tokens behind it.
func (l labLeaves) addBraces(path, tokens []string) []string {
	var words []string
	leaf, inside := []string(nil), false
	end := func() {
		switch {
		case len(leaf) > 0:
			for _, v := range leaf {
				l.add(append(slices.Clone(path), words...), v)
			}
		case len(words) == 1:
			l.add(append(slices.Clone(path), words[0]), "")
		case len(words) > 1:
			l.add(append(slices.Clone(path), words[0]), words[1])
		}
		words, leaf = nil, nil
	}
	for len(tokens) > 0 {
		word := strings.Trim(tokens[0], `"`)
		token := tokens[0]
		tokens = tokens[1:]
		switch {
		case token == "[":
			inside = true
		case token == "]":
			inside = false
		case inside && token != "\n":
			leaf = append(leaf, word)
		case inside:
		case token == "\n":
			end()
		case token == "}":
			end()
			return tokens
		case token == "{":
			at := append(slices.Clone(path), words[0])
			if len(words) > 1 {
				at[len(at)-1] += labKind(words[0], words[1])
				l.add(append(slices.Clone(at), labKeyName(path, words[0])), words[1])
			}
			for i := 2; i+1 < len(words); i += 2 {
				l.add(append(slices.Clone(at), words[i]), words[i+1])
			}
			before := len(l)
			tokens = l.addBraces(at, tokens)
			if len(words) == 1 && len(l) == before && !l.below(at) {
				l.add(at, "")
			}
			words = nil
		default:
			words = append(words, word)
		}
	}
	end()
	return nil
}

// below tells whether there is a leaf below a path.
func (l labLeaves) below(path []string) bool {
	for p := range l {
		if strings.HasPrefix(p, strings.Join(path, "/")+"/") {
			return true
		}
	}
	return false
}
