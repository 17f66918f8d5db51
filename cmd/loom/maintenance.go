package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func maintenanceCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "maintenance",
		Short: "Keep the controller's hands off devices that people work on",
		Long: `While a device is in maintenance the controller (loom serve) changes nothing on it and reports no findings of it: plans
leave it out and say so, and its drift is listed with a mark. It ends by a command or when its time is over, and lasts over a
restart of the controller. Traffic is not moved away: that is loom drain.`,
		Example: "  loom maintenance on leaf3 --for 2h --why 'new fan'\n  loom maintenance off leaf3",
	}
	on := &cobra.Command{Use: "on DEVICE...", Short: "People work on devices: nothing is changed there", Args: cobra.MinimumNArgs(1)}
	span := on.Flags().Duration("for", 0, "`TIME` after which it is over (default: until loom maintenance off)")
	why := on.Flags().String("why", "", "`TEXT` that plans show with it")
	c.AddCommand(t.maintaining(on, func() (*api.SetMaintenanceRequest, error) {
		r := &api.SetMaintenanceRequest{On: true, Reason: *why}
		if *span < 0 {
			return nil, fmt.Errorf("--for %s: use a time such as 2h", *span)
		}
		if *span > 0 {
			r.Until = timestamppb.New(time.Now().Add(*span))
		}
		return r, nil
	}))
	off := &cobra.Command{Use: "off DEVICE...", Short: "The work is done: devices are as any other again", Args: cobra.MinimumNArgs(1)}
	c.AddCommand(t.maintaining(off, func() (*api.SetMaintenanceRequest, error) { return &api.SetMaintenanceRequest{}, nil }))
	return group(c)
}

// maintaining is a command that begins or ends maintenance of devices.
func (t *terminal) maintaining(c *cobra.Command, request func() (*api.SetMaintenanceRequest, error)) *cobra.Command {
	topology := c.Flags().String("topology", "", "that of this `TOPOLOGY`, where several have a device of the name")
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		devices := api.NewDeviceServiceClient(there)
		for _, name := range args {
			r, err := request()
			if err != nil {
				return err
			}
			r.Device = name
			if r.Topology, err = topologyOf(ctx, devices, *topology, name); err != nil {
				return err
			}
			m, err := devices.SetMaintenance(ctx, r)
			if err != nil {
				return err
			}
			if format == "json" {
				if err := t.message(m.GetDevice()); err != nil {
					return err
				}
				continue
			}
			said := "not in maintenance"
			if now := m.GetDevice().GetMaintenance(); now != nil {
				said = maintenanceOf(now).String()
			}
			t.printf("%s/%s: %s\n", r.GetTopology(), name, said)
		}
		return nil
	})
}

// topologyOf is the topology that has a device, where only one has it.
func topologyOf(ctx context.Context, devices api.DeviceServiceClient, topology, name string) (string, error) {
	if topology != "" {
		return topology, nil
	}
	var of []string
	r := &api.ListDevicesRequest{PageSize: 1000}
	for {
		m, err := devices.ListDevices(ctx, r)
		if err != nil {
			return "", err
		}
		for _, d := range m.GetDevices() {
			if d.GetName() == name {
				of = append(of, d.GetTopology())
			}
		}
		if r.PageToken = m.GetNextPageToken(); r.PageToken == "" {
			break
		}
	}
	switch len(of) {
	case 0:
		return "", fmt.Errorf("%s: no such device; loom devices lists them", name)
	case 1:
		return of[0], nil
	}
	return "", fmt.Errorf("%s: is in %s; say which with --topology", name, strings.Join(of, ", "))
}

func maintenanceOf(m *api.Maintenance) controller.Maintenance {
	out := controller.Maintenance{By: m.GetBy(), Why: m.GetReason(), Since: m.GetSince().AsTime()}
	if m.GetUntil() != nil {
		out.Until = m.GetUntil().AsTime()
	}
	return out
}
