package main

import (
	"context"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/loomfabric/loom/pkg/device"
)

// scriptGuests is the command `guests DEVICE N` of scenarios: so many other clients are at the device until the scenario ends, each
// with a session of its own (driver.Manners.Sessions).
func scriptGuests(ts *testscript.TestScript, _ bool, args []string) {
	inv := simOf(ts).Inventory()
	entry, known := inv.Find(args[0])
	if !known {
		ts.Fatalf("no device %s", args[0])
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	pool, err := inv.Pool()
	ts.Check(err)
	for range n {
		guest, err := device.New(device.Target{
			Name: entry.Name, Address: entry.Address, CA: pool, Fingerprint: entry.Fingerprint, Username: inv.Username, Password: inv.Password,
			Driver: drivers[entry.OS], Release: entry.Release,
		})
		ts.Check(err)
		ts.Defer(func() { guest.Close() })
		_, err = guest.Identify(context.Background())
		ts.Check(err)
	}
}
