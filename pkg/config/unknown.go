package config

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// DiffUnknown returns the paths of unknown parts that only one of two documents has, or that say
// something else in the other, sorted. Spaces, modules of names, and the order of members do not
// count. Nor does that of elements, for nobody knows whether it is data.
func DiffUnknown(a, b []Unknown) []string {
	was, is := meanings(a), meanings(b)
	var out []string
	for path, text := range was {
		if other, ok := is[path]; !ok || other != text {
			out = append(out, path)
		}
	}
	for path := range is {
		if _, ok := was[path]; !ok {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// meanings are what unknown parts say, by path.
func meanings(list []Unknown) map[string]string {
	out := make(map[string]string, len(list))
	for _, u := range list {
		out[u.Path.String()] += meaning(u.JSON) // two modules may have a node of one name
	}
	return out
}

// meaning is a JSON text that is the same for documents that say the same. Parse has found it sound.
func meaning(raw []byte) string {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return string(raw)
	}
	text, _ := json.Marshal(ordered(v)) // of what was JSON
	return string(text)
}

// ordered sorts the elements of arrays and takes modules from the names of members; json.Marshal sorts the members.
func ordered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[name[strings.IndexByte(name, ':')+1:]] = ordered(member)
		}
		return out
	case []any:
		texts := make([]string, len(v))
		for i, e := range v {
			text, _ := json.Marshal(ordered(e))
			texts[i] = string(text)
		}
		slices.Sort(texts)
		return texts
	}
	return v
}
