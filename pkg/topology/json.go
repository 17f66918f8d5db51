package topology

import (
	"encoding/json"
	"errors"

	"go.yaml.in/yaml/v3"
)

// JSON is a YAML document as JSON; JSON is YAML, too. It knows nothing of topologies: it is for what is put besides files, one
// resource at a time. Errors: no YAML, or what JSON cannot say, such as keys that are no text.
func JSON(data []byte) ([]byte, error) {
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	if _, ok := v.(map[string]any); !ok {
		return nil, errors.New("says no key: value; write a resource as loom intent resource get prints one")
	}
	return json.Marshal(v)
}
