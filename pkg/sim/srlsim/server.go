package srlsim

import (
	"time"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
)

// server says how the gNMI server is to be: as the one named mgmt, or else the first that is enabled
// (/system/grpc-server). Where none is, the zero Server.
func server(running *config.Tree) sim.Server {
	root := running.Root()
	c := grpcServer(root)
	if !c.Valid() {
		return sim.Server{}
	}
	return sim.Server{
		Name:       key(c),
		RateLimit:  int(number(c, srl.SystemGrpcServerRateLimit)),
		Sessions:   int(number(c, srl.SystemGrpcServerSessionLimit)),
		Anonymous:  !yes(c, srl.SystemGrpcServerMetadataAuthentication),
		ClientCA:   clientCA(root, c),
		Streams:    int(number(root, srl.SystemConfigurationMaxPathsPerSubscriptionRequest)),
		Defaults:   yes(c, srl.SystemGrpcServerGnmiIncludeDefaultsInConfigOnlyResponses),
		CommitSave: yes(c, srl.SystemGrpcServerGnmiCommitSave),
		Confirm:    time.Duration(number(c, srl.SystemGrpcServerGnmiCommitConfirmedTimeout)) * time.Second,
		Idle:       time.Duration(number(c, srl.SystemGrpcServerTimeout)) * time.Second,
	}
}

func grpcServer(root config.Cursor) (first config.Cursor) {
	for c := range entries(root, srl.SystemGrpcServer) {
		if !enabled(c, srl.SystemGrpcServerAdminState) {
			continue
		}
		if key(c) == "mgmt" {
			return c
		}
		if !first.Valid() {
			first = c
		}
	}
	return first
}

// clientCA is the trust anchor of the server's TLS profile, if clients have to authenticate.
func clientCA(root, server config.Cursor) []byte {
	profile := at(root, srl.SystemTlsServerProfile).Entry(text(server, srl.SystemGrpcServerTlsProfile))
	if !yes(profile, srl.SystemTlsServerProfileAuthenticateClient) {
		return nil
	}
	return []byte(text(profile, srl.SystemTlsServerProfileTrustAnchor))
}

// sampled tells whether a subscription that leaves it to the router (TARGET_DEFINED) gets samples of a node: the
// vendor's model marks /interface/statistics with stream-mode sample=5, and no other node of the profile.
func sampled(s *config.Schema, id config.ID) bool {
	for ; id != config.Root; id = s.Nodes[id].Parent {
		if id == srl.InterfaceStatistics {
			return true
		}
	}
	return false
}
