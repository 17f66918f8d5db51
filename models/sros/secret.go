package sros

import "github.com/loomfabric/loom/pkg/config"

// secrets are the leaves whose values nobody is shown. A router shows them encrypted, which is not what is sent to it: the
// vendor's models call their type encrypted-leaf.
var secrets = []config.ID{
	ConfigureRouterBgpGroupAuthenticationKey,
	ConfigureRouterBgpNeighborAuthenticationKey,
	ConfigureRouterIsisAuthenticationKey,
	ConfigureRouterIsisInterfaceHelloAuthenticationKey,
}

func init() {
	for _, id := range secrets {
		Schema.Nodes[id].Secret = true
	}
}
