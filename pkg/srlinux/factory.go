package srlinux

import (
	"bytes"
	"text/template"
)

// Factory is the configuration of a new router before Loom first speaks to it: management
// interface and instance, the gRPC server that Loom reaches, SSH. It is what a containerlab or ZTP
// start leaves behind, and lies outside the scope but for what a new router has of its own.
func Factory(name, platform, release string) []byte {
	var b bytes.Buffer
	if err := factory.Execute(&b, struct{ Name string }{name}); err != nil {
		panic(err) // the template is ours
	}
	return b.Bytes()
}

var factory = template.Must(template.New("factory").Parse(`{
  "srl_nokia-interfaces:interface": [
    {
      "name": "mgmt0",
      "admin-state": "enable",
      "subinterface": [
        {
          "index": 0,
          "admin-state": "enable",
          "ipv4": {"admin-state": "enable", "srl_nokia-interfaces-ip-dhcp:dhcp-client": {}},
          "ipv6": {"admin-state": "enable", "srl_nokia-interfaces-ip-dhcp:dhcp-client": {}}
        }
      ]
    }
  ],
  "srl_nokia-network-instance:network-instance": [
    {
      "name": "mgmt",
      "type": "srl_nokia-network-instance:ip-vrf",
      "admin-state": "enable",
      "description": "Management network instance",
      "interface": [{"name": "mgmt0.0"}],
      "protocols": {"srl_nokia-linux:linux": {"import-routes": true, "export-routes": true, "export-neighbors": true}}
    }
  ],
  "srl_nokia-system:system": {
    "srl_nokia-grpc:grpc-server": [
      {
        "name": "mgmt",
        "admin-state": "enable",
        "network-instance": "mgmt",
        "rate-limit": 65000,
        "tls-profile": "fabric",
        "services": ["srl_nokia-grpc:gnmi", "srl_nokia-grpc:gnoi"]
      }
    ],
    "srl_nokia-tls:tls": {"server-profile": [{"name": "fabric", "authenticate-client": false}]},
    "srl_nokia-ssh:ssh-server": [{"name": "mgmt", "admin-state": "enable", "network-instance": "mgmt"}]
  }
}
`))
