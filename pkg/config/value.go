package config

// Canonical checks a value against the type of a leaf or leaf-list in a release (an index into
// s.Releases) and returns its canonical lexical form (RFC 7950 §9): "9412", "true",
// "srl_nokia-common:evpn", "" for type empty. Identities are accepted with and without module name.
func (s *Schema) Canonical(id ID, release int, text string) (string, error) { panic("todo") }
