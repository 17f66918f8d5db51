package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
)

// startupFile returns the startup configuration as the file that the device keeps.
func (d *Device) startupFile() ([]byte, error) {
	d.mu.Lock()
	startup := d.startup
	d.mu.Unlock()
	return startup.file()
}

// file returns a configuration as a device keeps it.
func (c configuration) file() ([]byte, error) {
	data := c.tree().AppendJSON(nil, true)
	if len(c.unknown) == 0 {
		return data, nil
	}
	doc, err := decode(data)
	if err != nil {
		return nil, err
	}
	root, _ := doc.(map[string]any)
	for _, u := range c.unknown {
		if err := graft(root, u); err != nil {
			return nil, err
		}
	}
	return json.MarshalIndent(root, "", "  ")
}

// decode reads JSON and keeps numbers as written.
func decode(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return v, err
}

// graft puts a part that the schema does not know back to where it was found.
func graft(at map[string]any, u config.Unknown) error {
	value, err := decode(u.JSON)
	if err != nil || len(u.Path) == 0 {
		return fmt.Errorf("%s: unknown part: %w", u.Path, err)
	}
	last := len(u.Path) - 1
	for _, e := range u.Path[:last] {
		at = enter(at, e)
	}
	name := memberName(at, u.Path[last].Name)
	if len(u.Path[last].Keys) == 0 {
		at[name] = value
		return nil
	}
	entries, _ := at[name].([]any)
	at[name] = append(entries, value)
	return nil
}

// enter returns the object for an element of a path below another, and makes it if it is missing.
func enter(at map[string]any, e config.Elem) map[string]any {
	name := memberName(at, e.Name)
	if len(e.Keys) == 0 {
		child, ok := at[name].(map[string]any)
		if !ok {
			child = map[string]any{}
			at[name] = child
		}
		return child
	}
	entries, _ := at[name].([]any)
	for _, entry := range entries {
		if m, ok := entry.(map[string]any); ok && hasKeys(m, e) {
			return m
		}
	}
	entry := map[string]any{}
	for _, k := range e.Keys {
		entry[k.Name] = k.Value
	}
	at[name] = append(entries, entry)
	return entry
}

// memberName returns the name of a member as the object has it, qualified or not.
func memberName(at map[string]any, local string) string {
	for name := range at {
		if name[strings.IndexByte(name, ':')+1:] == local {
			return name
		}
	}
	return local
}

// hasKeys tells whether an entry has the keys of an element.
func hasKeys(entry map[string]any, e config.Elem) bool {
	for _, k := range e.Keys {
		if fmt.Sprint(entry[memberName(entry, k.Name)]) != k.Value {
			return false
		}
	}
	return true
}
