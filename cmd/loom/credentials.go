package main

import (
	"fmt"
	"os"

	"github.com/loomfabric/loom/pkg/device"
)

// showing is an inventory with the certificate that flags name, where they name one.
func (a *access) showing(inv device.Inventory) (device.Inventory, error) {
	switch {
	case a.cert == "" && a.key == "":
		return inv, nil
	case a.key == "":
		return inv, fmt.Errorf("--cert %s: give the file with its key too, with --key", a.cert)
	case a.cert == "":
		return inv, fmt.Errorf("--key %s: give the file with its certificate too, with --cert", a.key)
	}
	cert, err := os.ReadFile(a.cert)
	if err != nil {
		return inv, fmt.Errorf("--cert: %w", err)
	}
	key, err := os.ReadFile(a.key)
	if err != nil {
		return inv, fmt.Errorf("--key: %w", err)
	}
	if _, err := device.ClientCertificate(cert, key); err != nil {
		return inv, fmt.Errorf("--cert %s, --key %s: %w", a.cert, a.key, err)
	}
	a.lookAtMode(a.key)
	inv.Cert, inv.Key = string(cert), string(key)
	return inv, nil
}

// lookAtMode warns of a key that others can read.
func (a *access) lookAtMode(file string) {
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
		a.warn("%s: others can read this key (mode %#o); chmod 600 %s\n", file, info.Mode().Perm(), file)
	}
}
