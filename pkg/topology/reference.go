package topology

import "strings"

// Reference returns the reference page of the language in Markdown, made from the table that drives the parser.
func Reference() []byte {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, keys := range allKeys {
		section(&b, keys)
	}
	b.WriteString(referenceTail)
	return []byte(b.String())
}

const referenceHead = `# The topology file

<!-- Generated from the table in pkg/topology; to change it, change the table. -->

A topology file says what the operator wants, in YAML or JSON. What is not said is derived from stable numbers: a
site's, a device's, a tenant's, a segment's. Leaving a hole in the numbers renumbers nothing.

    loom: v1
    name: demo
    spines: {count: 2, platform: 7220-IXR-D3L}
    leaves: {count: 4, platform: 7220-IXR-D2L, pairs: true}
    tenants:
      red:
        number: 1
        segments:
          web: {number: 10, gateway: 10.10.0.1/24}
    ports:
      - {on: leaves, range: ethernet-1/1..4, lag: pair, segments: [web]}

Of YAML only the plain part is used: no anchors, aliases, tags, merge keys, directives, texts over several lines, and
one document in a file. Truth values are ` + "`true` and `false`" + `. Texts that YAML takes for numbers need quotes: ` + "`\"25.3\"`" + `.
A file may have 32 MB, 300000 lines, 150000 entries and 64 levels; one text may have 64 kB.

A **selector** is a list with commas of names (` + "`leaf3`, `bj/leaf3`, `bj-leaf3`" + `), patterns (` + "`\"bj/leaf*\"`" + `), ranges (` + "`leaf1..4`" + `),
` + "`leaves`, `spines`, `gateways`, `transponders` and `label:NAME`" + `. A selector that matches nothing is an error.

A **set of numbers** is ` + "`3`, `1..4` or `\"1..4,6\"`" + `; a set with commas needs quotes inside of brackets.
`

const referenceTail = `
## Limits

At most 10000 devices, 50000 raw entries and a million access ports, each counted once for each rule, in one topology. A name is lower-case letters, digits and hyphens, a
letter first, at most 63.
`

func section(b *strings.Builder, keys *Keys) {
	b.WriteString("\n## " + keys.Name + "\n\n" + keys.Doc + "\n\n")
	b.WriteString("| key | value | default | meaning |\n|---|---|---|---|\n")
	var unbuilt []string
	for i := range keys.List {
		k := &keys.List[i]
		if k.Unbuilt {
			unbuilt = append(unbuilt, "`"+k.Name+"`")
			continue
		}
		fallback := k.Default
		if k.Required {
			fallback = "**required**"
		}
		doc := k.Doc
		if k.Example != "" {
			doc += " Example: `" + k.Name + ": " + k.Example + "`"
		}
		b.WriteString("| `" + k.Name + "` | " + typeName(k) + " | " + fallback + " | " + doc + " |\n")
	}
	if len(unbuilt) > 0 {
		b.WriteString("\nNot built yet, and refused until they are: " + strings.Join(unbuilt, ", ") + ".\n")
	}
}
