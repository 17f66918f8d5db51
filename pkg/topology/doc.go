// Package topology reads what the operator wrote: one or several topology files, in YAML or JSON, become
// one expanded intent (models/intent) in which every shorthand is spelled out and every mistake has been
// reported at its line and column.
//
// The rule that matters most: one table (table.go) describes every key of the language. The parser, the
// suggestions for misspelt keys, the JSON Schema and the reference page all read it, so none of them can
// say something that the others do not.
//
// The package is pure: bytes in, values out. It reads no file and knows no hardware; what needs ports,
// speeds or derived numbers is checked in pkg/fabric.
package topology
