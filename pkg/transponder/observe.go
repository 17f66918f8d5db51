package transponder

import (
	"strconv"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"
)

const channelPath = "/terminal-device/logical-channels/channel[index=*]"

// observePaths are what Observe reads: whether traffic passes, and which routers are heard at clients.
var observePaths = []string{
	channelPath + "/state/admin-state",
	channelPath + "/state/link-state",
	channelPath + "/ethernet/lldp/state/enabled",
	channelPath + "/ethernet/lldp/neighbors/neighbor[id=*]/state/system-name",
	channelPath + "/ethernet/lldp/neighbors/neighbor[id=*]/state/port-id",
}

// Observe reads what a device shows: a port is as the logical channel that is numbered by it. It does not depend on what
// the design says of the device.
func Observe(state *config.Tree, _ *fabric.Device) verify.Device {
	d := verify.Device{Interfaces: map[string]verify.Interface{}}
	for port, channel := range ports(state) {
		link := at(channel, oc.TerminalDeviceLogicalChannelsChannelStateLinkState).Value()
		i := verify.Interface{
			Enabled: at(channel, oc.TerminalDeviceLogicalChannelsChannelStateAdminState).Value() == enabled,
			Up:      link == "UP",
		}
		if link != "" && !i.Up {
			i.Reason = link // TESTING is not DOWN
		}
		for n := range at(channel, oc.TerminalDeviceLogicalChannelsChannelEthernetLldpNeighborsNeighbor).Children() {
			i.Far = append(i.Far, verify.Far{
				System: at(n, oc.TerminalDeviceLogicalChannelsChannelEthernetLldpNeighborsNeighborStateSystemName).Value(),
				Port:   at(n, oc.TerminalDeviceLogicalChannelsChannelEthernetLldpNeighborsNeighborStatePortId).Value(),
			})
		}
		d.Interfaces[port] = i
		d.LLDP = d.LLDP || at(channel, oc.TerminalDeviceLogicalChannelsChannelEthernetLldpStateEnabled).Value() == "true"
	}
	observeLight(state, &d)
	return d
}

// Asks reads what a configuration asks its device to show.
func Asks(t *config.Tree) verify.Device {
	d := verify.Device{Interfaces: map[string]verify.Interface{}}
	for port, channel := range ports(t) {
		d.Interfaces[port] = verify.Interface{Enabled: at(channel, oc.TerminalDeviceLogicalChannelsChannelConfigAdminState).Value() == enabled}
		d.LLDP = d.LLDP || at(channel, oc.TerminalDeviceLogicalChannelsChannelEthernetLldpConfigEnabled).Value() == "true"
	}
	asksLight(t, &d)
	return d
}

// ports yields the logical channels that are numbered by a port, with the port.
func ports(t *config.Tree) func(func(string, config.Cursor) bool) {
	return func(yield func(string, config.Cursor) bool) {
		for channel := range at(t.Root(), logical).Children() {
			index, err := strconv.ParseUint(channel.Keys()[0], 10, 32)
			if port := portOf(index); err == nil && port != "" && !yield(port, channel) {
				return
			}
		}
	}
}

// at finds the node below a cursor that has a schema node.
var at = oc.Schema.At
