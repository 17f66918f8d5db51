package topology

import (
	"cmp"
	"strconv"
)

// Pos is a place in a source. The zero Pos means that the place is not known, as for intents that came
// through the API.
type Pos struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`   // from 1
	Column int    `json:"column,omitempty"` // from 1, in characters
}

// String returns "file:line:column", or "" for the zero Pos.
func (p Pos) String() string {
	if p == (Pos{}) {
		return ""
	}
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// before orders positions by file, line and column.
func (p Pos) before(q Pos) int {
	switch {
	case p.File != q.File:
		return cmp.Compare(p.File, q.File)
	case p.Line != q.Line:
		return cmp.Compare(p.Line, q.Line)
	}
	return cmp.Compare(p.Column, q.Column)
}
