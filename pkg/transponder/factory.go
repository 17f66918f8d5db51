package transponder

import "encoding/json"

// Factory is the configuration of a new device before Loom first speaks to it: LLDP is on, as the models have it, and
// the components that say what the device is are there. All of it lies outside the scope.
func Factory(_, _, _ string) []byte {
	type named struct {
		Name   string            `json:"name"`
		Config map[string]string `json:"config"`
	}
	var hardware []named
	for _, name := range []string{chassisComponent, osComponent} {
		hardware = append(hardware, named{name, map[string]string{"name": name}})
	}
	document, err := json.Marshal(map[string]any{
		"openconfig-platform:components": map[string]any{"component": hardware},
		"openconfig-lldp:lldp":           map[string]any{"config": map[string]any{"enabled": true}},
	})
	if err != nil {
		panic(err) // texts and a boolean
	}
	return document
}
