package topology

import (
	"encoding/json"
	"strconv"
	"strings"
)

// schemaNode is one node of a JSON Schema; encoding/json sorts its keys, so the schema is stable.
type schemaNode map[string]any

// JSONSchema returns the JSON Schema (draft 2020-12) of a topology file, made from the table that drives the
// parser. It accepts every file that Parse accepts; Parse also checks what a schema cannot say.
func JSONSchema() []byte {
	s := &schemas{defs: schemaNode{}}
	root := s.object(fileKeys)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Loom topology"
	root["required"] = []string{"loom"} // one of several files may leave the name to another
	root["$defs"] = s.defs
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // the table holds nothing that JSON cannot
	}
	return append(out, '\n')
}

// schemas collects the sets of keys, each described once.
type schemas struct{ defs schemaNode }

// ref describes a set of keys and returns a reference to it.
func (s *schemas) ref(keys *Keys) schemaNode {
	name := anchor(keys)
	if s.defs[name] == nil {
		s.defs[name] = schemaNode{} // known before it is described: sets may nest
		s.defs[name] = s.object(keys)
	}
	return schemaNode{"$ref": "#/$defs/" + name}
}

func (s *schemas) object(keys *Keys) schemaNode {
	properties := schemaNode{}
	var required []string
	for i := range keys.List {
		k := &keys.List[i]
		if k.Unbuilt {
			continue
		}
		properties[k.Name] = s.key(k)
		if k.Required {
			required = append(required, k.Name)
		}
	}
	node := schemaNode{"type": "object", "description": keys.Doc, "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		node["required"] = required
	}
	return node
}

func (s *schemas) key(k *Key) schemaNode {
	node := s.value(k)
	node["description"] = k.Doc
	if k.Default != "" {
		node["description"] = k.Doc + " Default: " + k.Default + "."
	}
	return node
}

func (s *schemas) value(k *Key) schemaNode {
	switch k.Kind {
	case Number:
		return schemaNode{"type": "integer", "minimum": k.Min, "maximum": k.Max}
	case Flag:
		return schemaNode{"type": "boolean"}
	case Word:
		return schemaNode{"enum": k.Words}
	case Text:
		return form(k.Form)
	case Texts:
		return schemaNode{"type": "array", "items": form(k.Form), "uniqueItems": true}
	case TextOrSet:
		return schemaNode{"oneOf": []schemaNode{form(k.Form), {"type": "array", "items": form(k.Form), "uniqueItems": true}}}
	case Scalar:
		return schemaNode{"type": []string{"string", "number", "boolean"}}
	}
	return s.composed(k)
}

// composed is value for what has parts.
func (s *schemas) composed(k *Key) schemaNode {
	switch k.Kind {
	case Release:
		return schemaNode{"oneOf": []schemaNode{form(releaseForm), s.ref(releaseKeys)}}
	case TextOrBlock:
		return schemaNode{"oneOf": []schemaNode{form(k.Form), s.ref(k.Of)}}
	case Pairs:
		pair := schemaNode{"type": "array", "items": schemaNode{"type": "integer", "minimum": 1, "maximum": maxNumber}, "minItems": 2, "maxItems": 2}
		return schemaNode{"oneOf": []schemaNode{{"type": "boolean"}, {"type": "array", "items": pair}}}
	case Named:
		return schemaNode{"type": "object", "propertyNames": form(nameForm), "additionalProperties": s.ref(k.Of)}
	case Numbered:
		return schemaNode{"type": "object", "propertyNames": schemaNode{"pattern": numbersForm.Pattern}, "additionalProperties": s.ref(k.Of)}
	case List:
		return schemaNode{"type": "array", "items": s.ref(k.Of)}
	case CableList:
		return schemaNode{"type": "array", "items": schemaNode{"oneOf": []schemaNode{form(cableForm), s.ref(k.Of)}}}
	}
	return s.ref(k.Of)
}

// anchor is what a set of keys is linked by.
func anchor(keys *Keys) string { return strings.ReplaceAll(strings.ToLower(keys.Name), " ", "-") }

// form describes a text.
func form(f *Form) schemaNode {
	node := schemaNode{"type": "string", "pattern": f.Pattern}
	if f.Bare {
		return schemaNode{"oneOf": []schemaNode{node, {"type": "integer", "minimum": 1}}}
	}
	if f.Decimal {
		return schemaNode{"oneOf": []schemaNode{node, {"type": "number"}}}
	}
	return node
}

// typeName says in the reference what a key takes.
func typeName(k *Key) string {
	switch k.Kind {
	case Number:
		return "number, " + strconv.FormatUint(k.Min, 10) + ".." + strconv.FormatUint(k.Max, 10)
	case Flag:
		return "true or false"
	case Word:
		return "`" + strings.Join(k.Words, "` or `") + "`"
	case Text:
		return k.Form.Name
	case Texts:
		return "list, each " + k.Form.Name
	case TextOrSet:
		return k.Form.Name + ", or a list of them"
	case Scalar:
		return "a single value"
	case Release:
		return "a release, or [releases](#release)"
	case Pairs:
		return "true, false or a list of pairs of numbers"
	}
	link := "[" + strings.ToLower(k.Of.Name) + "](#" + anchor(k.Of) + ")"
	switch k.Kind {
	case Named:
		return "a name for each " + link
	case Numbered:
		return "a set of numbers for each " + link
	case TextOrBlock:
		return k.Form.Name + ", or " + link
	case List:
		return "list of " + link
	case CableList:
		return "list of texts or " + link
	}
	return link
}
