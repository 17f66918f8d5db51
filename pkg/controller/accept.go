package controller

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// Suggestion is how files would have to change to say what devices have.
type Suggestion struct {
	Before, Files []topology.Source // the files as they are, and as they would be
	Impossible    map[string]string // drifts that they cannot say, and why, by id
}

// Compiled is what an intent comes to.
type Compiled struct {
	Trees map[string]*config.Tree       // by device
	At    func(ref string) topology.Pos // where the file says what a cause names
}

// Accept suggests how an intent would have to change for drifts to be intended: where the file says the value literally, that; or else a
// leaf under `raw`. Each suggestion is compiled, and holds only if it comes to what the device has, and to nothing else on any
// device. has is what Loom owns of what a device has. Errors: the intent as it is does not compile.
func Accept(in *Intent, all []Drift, has func(device string) *config.Tree, compile func(*Intent) (Compiled, error)) (Suggestion, error) {
	out := Suggestion{Before: in.Files, Files: in.Files, Impossible: map[string]string{}}
	now, err := compile(in)
	if err != nil {
		return out, err
	}
	for _, d := range all {
		want, leaves, err := accepted(d, now.Trees[d.Device], has(d.Device))
		if err != nil {
			out.Impossible[d.ID] = err.Error()
			continue
		}
		why := "the files do not say where it could go; put it with a resource"
		for _, files := range append(literally(out.Files, d, leaves, now), rawly(out.Files, d.Device, leaves)...) {
			next := *in
			next.Files, next.Number, next.Hash = files, 0, "" // it is no revision
			then, err := compile(&next)
			if err == nil {
				err = only(d.Device, want, now, then)
			}
			if err != nil {
				why = err.Error()
				continue
			}
			out.Files, now, why = files, then, ""
			break
		}
		if why != "" {
			out.Impossible[d.ID] = why
		}
	}
	return out, nil
}

// leaf is a value that is to be said.
type leaf struct{ path, value string }

// accepted is what would be intended of a device with a drift, and the leaves that makes.
func accepted(d Drift, intended, has *config.Tree) (*config.Tree, []leaf, error) {
	if intended == nil || has == nil {
		return nil, nil, fmt.Errorf("%s: it is not in the topology, or was not read", d.Device)
	}
	p, err := config.ParsePath(d.Path)
	if err != nil {
		return nil, nil, err
	}
	at := has.Find(p)
	switch {
	case d.Op == config.Reorder:
		return nil, nil, fmt.Errorf("%s: the language does not say in what order entries are", d.Path)
	case !at.Valid():
		return nil, nil, fmt.Errorf("%s: it is gone from the device, and the language says what is there; change what asks for it", d.Path)
	}
	want, err := config.Apply(intended, &gnmi.SetRequest{Replace: []*gnmi.Update{{Path: p.GNMI(), Val: jsonOf(at)}}})
	if err != nil {
		return nil, nil, err
	}
	leaves := leavesBelow(at, nil)
	if len(leaves) == 0 {
		return nil, nil, fmt.Errorf("%s: it has no leaf that could be said", d.Path)
	}
	return want, leaves, nil
}

// leavesBelow are the leaves at and below a place that are neither keys nor what they are by default.
func leavesBelow(c config.Cursor, to []leaf) []leaf {
	if c.IsLeaf() {
		if c.IsKey() || c.IsDefault() {
			return to
		}
		return append(to, leaf{c.Path().String(), c.Value()})
	}
	for child := range c.Children() {
		to = leavesBelow(child, to)
	}
	return to
}

// literally says a value in the line that the intended one comes from, where that has it once.
func literally(files []topology.Source, d Drift, leaves []leaf, now Compiled) [][]topology.Source {
	p, err := config.ParsePath(d.Path)
	if err != nil || len(leaves) != 1 {
		return nil
	}
	from := now.Trees[d.Device].Find(p)
	if !from.Valid() || !from.IsLeaf() || from.Value() == "" {
		return nil
	}
	pos := now.At(from.Cause().Ref)
	i := slices.IndexFunc(files, func(f topology.Source) bool { return f.Name == pos.File })
	if i < 0 {
		return nil
	}
	lines := strings.Split(string(files[i].Data), "\n")
	if pos.Line < 1 || pos.Line > len(lines) {
		return nil
	}
	line, old := lines[pos.Line-1], from.Value()
	for _, form := range []string{strconv.Quote(old), old} {
		if strings.Count(line, form) == 1 {
			text := strings.Replace(line, form, scalar(leaves[0].value), 1)
			return [][]topology.Source{edited(files, i, slices.Concat(lines[:pos.Line-1], []string{text}, lines[pos.Line:]))}
		}
	}
	return nil
}

// rawly says leaves under `raw`, in each file in turn.
func rawly(files []topology.Source, device string, leaves []leaf) (out [][]topology.Source) {
	for i, f := range files {
		lines := strings.Split(strings.TrimRight(string(f.Data), "\n"), "\n")
		at, indent := slices.IndexFunc(lines, rawBlock.MatchString), "  "
		if at < 0 {
			lines = append(lines, "raw:")
			at = len(lines) - 1
		} else if at+1 < len(lines) {
			indent = listIndent.FindStringSubmatch(lines[at+1])[1]
		}
		var more []string
		for _, l := range leaves {
			more = append(more, fmt.Sprintf("%s- {on: %s, path: %q, value: %s}", indent, device, l.path, scalar(l.value)))
		}
		out = append(out, edited(files, i, slices.Concat(lines[:at+1], more, lines[at+1:], []string{""})))
	}
	return out
}

var (
	rawBlock   = regexp.MustCompile(`^raw:\s*(#.*)?$`)
	listIndent = regexp.MustCompile(`^( *)`)
	plain      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_./-]*$`)
)

// scalar is a value as a file says it.
func scalar(v string) string {
	if plain.MatchString(v) {
		return v
	}
	return strconv.Quote(v)
}

// edited is files of which one has other lines.
func edited(files []topology.Source, i int, lines []string) []topology.Source {
	out := slices.Clone(files)
	out[i].Data = []byte(strings.Join(lines, "\n"))
	return out
}

// only complains unless what is compiled differs in that one device is meant to have this.
func only(device string, want *config.Tree, before, after Compiled) error {
	names := make([]string, 0, len(before.Trees))
	for name := range before.Trees {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(a, b) })
	for _, name := range names {
		is, should := after.Trees[name], before.Trees[name]
		if name == device {
			should = want
		}
		if is == nil || !config.Equal(is, should) {
			return fmt.Errorf("%s: the language says this together with more, which the device has not, or which would change another; edit the files by hand", name)
		}
	}
	if len(after.Trees) != len(before.Trees) {
		return fmt.Errorf("%s: there would be other devices", device)
	}
	return nil
}
