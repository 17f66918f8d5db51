package srlsim

import (
	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
)

// applications are those that a router has in any configuration (/system/app-management).
var applications = []string{"aaa_mgr", "arp_nd_mgr", "bfd_mgr", "bgp_mgr", "chassis_mgr", "evpn_mgr", "fib_mgr",
	"grpc_server", "idb_server", "l2_mac_mgr", "lag_mgr", "linux_mgr", "lldp_mgr", "log_mgr", "mgmt_server", "net_inst_mgr",
	"static_route_mgr", "vxlan_mgr", "xdp_lc_1"}

// system writes what is left of /system.
func (w *writer) system() {
	w.Str(srl.SystemInformationDescription, description(w.o.Hardware, w.o.Running.Release()))
	w.Str(srl.SystemInformationLastBooted, stamp(w.o.Booted))
	w.Str(srl.SystemInformationCurrentDatetime, stamp(w.o.Now))
	if !has(w.running, srl.SystemNameHostName) {
		w.Str(srl.SystemNameHostName, w.router.System)
	}
	for _, name := range applications {
		w.In(srl.SystemAppManagementApplication, name, func() { w.Str(srl.SystemAppManagementApplicationState, "running") })
	}
	w.servers()
	w.ntp()
}

// servers writes which of the management servers run, and who is connected.
func (w *writer) servers() {
	serving := grpcServer(w.running)
	for c := range entries(w.running, srl.SystemGrpcServer) {
		w.In(srl.SystemGrpcServer, key(c), func() {
			w.Str(srl.SystemGrpcServerOperState, upDown(works(w.running, c)))
			if serving.Valid() && key(serving) == key(c) {
				w.clients()
			}
		})
	}
	for c := range entries(w.running, srl.SystemSshServer) {
		w.In(srl.SystemSshServer, key(c), func() {
			w.Str(srl.SystemSshServerOperState, upDown(enabled(c, srl.SystemSshServerAdminState)))
		})
	}
	json := enabled(w.running, srl.SystemJsonRpcServerAdminState)
	for c := range entries(w.running, srl.SystemJsonRpcServerNetworkInstance) {
		w.In(srl.SystemJsonRpcServerNetworkInstance, key(c), func() { w.jsonRPC(c, json) })
	}
}

func (w *writer) jsonRPC(c config.Cursor, on bool) {
	if has(c, srl.SystemJsonRpcServerNetworkInstanceHttp) {
		w.Str(srl.SystemJsonRpcServerNetworkInstanceHttpOperState, upDown(on && enabled(c, srl.SystemJsonRpcServerNetworkInstanceHttpAdminState)))
	}
	if has(c, srl.SystemJsonRpcServerNetworkInstanceHttps) {
		w.Str(srl.SystemJsonRpcServerNetworkInstanceHttpsOperState, upDown(on && enabled(c, srl.SystemJsonRpcServerNetworkInstanceHttpsAdminState)))
	}
}

func (w *writer) clients() {
	for _, c := range w.o.Server.Clients {
		w.In(srl.SystemGrpcServerClient, decimal(c.ID), func() {
			w.Str(srl.SystemGrpcServerClientRemoteHost, c.Host)
			w.Uint(srl.SystemGrpcServerClientRemotePort, uint64(c.Port))
			w.Str(srl.SystemGrpcServerClientUserAgent, c.UserAgent)
		})
	}
}

// ntp writes that the first server gives the time.
func (w *writer) ntp() {
	if !has(w.running, srl.SystemNtp) {
		return
	}
	on := enabled(w.running, srl.SystemNtpAdminState)
	w.Str(srl.SystemNtpOperState, upDown(on))
	for s := range entries(w.running, srl.SystemNtpServer) {
		if !on {
			return
		}
		w.In(srl.SystemNtpServer, key(s), func() {
			w.Uint(srl.SystemNtpServerStratum, 2)
			w.Uint(srl.SystemNtpServerJitter, 100)
			w.Uint(srl.SystemNtpServerOffset, 10)
		})
	}
	for s := range entries(w.running, srl.SystemNtpServer) {
		w.Str(srl.SystemNtpSynchronized, key(s))
		return
	}
}
