package srlsim

import (
	"slices"
	"strings"
	"time"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
)

// server says how the gNMI server is to be: as the one named mgmt, or else the first that is enabled
// (/system/grpc-server), of those that are reached over mgmt0 if there are any. Where none is enabled, nobody is served.
func server(running *config.Tree) sim.Server {
	root := running.Root()
	c := grpcServer(root)
	if !c.Valid() {
		return sim.Server{Door: sim.Door{Shut: true}}
	}
	return sim.Server{
		Door:       door(root, c),
		Name:       key(c),
		RateLimit:  int(number(c, srl.SystemGrpcServerRateLimit)),
		Sessions:   int(number(c, srl.SystemGrpcServerSessionLimit)),
		Anonymous:  !yes(c, srl.SystemGrpcServerMetadataAuthentication),
		ClientCA:   clientCA(root, c),
		Streams:    int(number(root, srl.SystemConfigurationMaxPathsPerSubscriptionRequest)),
		Origin:     origin(c),
		Defaults:   yes(c, srl.SystemGrpcServerGnmiIncludeDefaultsInConfigOnlyResponses),
		CommitSave: yes(c, srl.SystemGrpcServerGnmiCommitSave),
		Confirm:    time.Duration(number(c, srl.SystemGrpcServerGnmiCommitConfirmedTimeout)) * time.Second,
		Idle:       time.Duration(number(c, srl.SystemGrpcServerTimeout)) * time.Second,
	}
}

// grpcServer is the server that clients meet at the address of the device.
func grpcServer(root config.Cursor) (best config.Cursor) {
	most := 0
	for c := range entries(root, srl.SystemGrpcServer) {
		if rank := preference(root, c); rank > most {
			best, most = c, rank
		}
	}
	return best
}

// preference is higher the likelier a server is the one that clients mean; 0 where it is disabled.
func preference(root, server config.Cursor) (rank int) {
	if !enabled(server, srl.SystemGrpcServerAdminState) {
		return 0
	}
	rank = 1
	if key(server) == "mgmt" {
		rank++
	}
	if reached(root, server) {
		rank += 2
	}
	return rank
}

// door says whether and how clients get in to a server.
func door(root, server config.Cursor) sim.Door {
	if !works(root, server) || !reached(root, server) {
		return sim.Door{Shut: true}
	}
	return sim.Door{
		Plain:  text(server, srl.SystemGrpcServerTlsProfile) == "" && !yes(server, srl.SystemGrpcServerDefaultTlsProfile),
		NoGNMI: !serves(server, "gnmi"),
		NoGNOI: !serves(server, "gnoi"),
	}
}

// works tells whether a server is up (/system/grpc-server/oper-state): it has something to serve, an instance to
// serve it in, and the certificate that it is to show. A TLS profile may be named that is not there: the model has
// require-instance false.
func works(root, server config.Cursor) bool {
	instance := at(root, srl.NetworkInstance).Entry(text(server, srl.SystemGrpcServerNetworkInstance))
	profile := text(server, srl.SystemGrpcServerTlsProfile)
	return enabled(server, srl.SystemGrpcServerAdminState) && len(texts(server, srl.SystemGrpcServerServices)) > 0 &&
		instance.Valid() && enabled(instance, srl.NetworkInstanceAdminState) &&
		(profile == "" || at(root, srl.SystemTlsServerProfile).Entry(profile).Valid())
}

// serves tells whether a service is one of a server's, or a part of it is: gnoi.system is of gnoi.
func serves(server config.Cursor, service string) bool {
	return slices.ContainsFunc(texts(server, srl.SystemGrpcServerServices), func(s string) bool {
		whole, _, _ := strings.Cut(local(s), ".")
		return whole == service
	})
}

// reached tells whether a server is met at the management address, at the port where clients look for it.
func reached(root, server config.Cursor) bool {
	return text(server, srl.SystemGrpcServerPort) == srl.Schema.Nodes[srl.SystemGrpcServerPort].Default &&
		managed(root, text(server, srl.SystemGrpcServerNetworkInstance))
}

// managed tells whether an instance has a subinterface of mgmt0 that has an address, or asks for one.
func managed(root config.Cursor, instance string) bool {
	port := at(root, srl.Interface).Entry(management)
	if !enabled(port, srl.InterfaceAdminState) {
		return false
	}
	for sub := range entries(port, srl.InterfaceSubinterface) {
		member := at(at(root, srl.NetworkInstance).Entry(instance), srl.NetworkInstanceInterface).Entry(management + "." + key(sub))
		if member.Valid() && enabled(sub, srl.InterfaceSubinterfaceAdminState) && addressed(sub) {
			return true
		}
	}
	return false
}

func addressed(sub config.Cursor) bool {
	v4 := has(sub, srl.InterfaceSubinterfaceIpv4Address) || has(sub, srl.InterfaceSubinterfaceIpv4DhcpClient)
	v6 := has(sub, srl.InterfaceSubinterfaceIpv6Address) || has(sub, srl.InterfaceSubinterfaceIpv6DhcpClient)
	return v4 && enabled(sub, srl.InterfaceSubinterfaceIpv4AdminState) || v6 && enabled(sub, srl.InterfaceSubinterfaceIpv6AdminState)
}

// origin is what paths without an origin mean (/system/grpc-server/yang-models): native, or OpenConfig's models.
func origin(server config.Cursor) string {
	if models := text(server, srl.SystemGrpcServerYangModels); models != "native" {
		return models
	}
	return ""
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
