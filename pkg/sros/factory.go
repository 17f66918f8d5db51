package sros

import (
	"bytes"
	"text/template"
)

// Factory is the configuration of a new router before Loom first speaks to it: model-driven management and the gRPC server that Loom
// reaches. How it is reached at all, its address and routes, is in the boot options, which no model of this profile has.
func Factory(name, platform, release string) []byte {
	var b bytes.Buffer
	if err := factory.Execute(&b, struct{ Name string }{name}); err != nil {
		panic(err) // the template is ours
	}
	return b.Bytes()
}

var factory = template.Must(template.New("factory").Parse(`{
  "nokia-conf:configure": {
    "system": {
      "grpc": {
        "admin-state": "enable",
        "tls-server-profile": "loom",
        "gnmi": {"admin-state": "enable", "auto-config-save": true}
      },
      "security": {"tls": {"server-tls-profile": [{"server-profile-name": "loom", "admin-state": "enable"}]}},
      "management-interface": {"configuration-mode": "model-driven"}
    }
  }
}
`))
