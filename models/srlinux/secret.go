package srl

import "github.com/loomfabric/loom/pkg/config"

// secrets are the leaves whose values nobody is shown. The vendor's models do not mark them.
var secrets = []config.ID{
	NetworkInstanceProtocolsBgpAuthenticationPassword,
	NetworkInstanceProtocolsBgpGroupAuthenticationPassword,
	NetworkInstanceProtocolsBgpNeighborAuthenticationPassword,
	NetworkInstanceProtocolsIsisInstanceAuthenticationKeyAuthPassword,
	NetworkInstanceProtocolsIsisInstanceInterfaceAuthenticationKeyAuthPassword,
	SystemAuthenticationKeychainKeyAuthenticationKey,
	SystemTlsServerProfileKey,
}

func init() {
	for _, id := range secrets {
		Schema.Nodes[id].Secret = true
	}
}
