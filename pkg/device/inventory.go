package device

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
)

// Inventory says where devices are and how they are trusted: what `loom sim` prints and
// `--inventory` reads.
type Inventory struct {
	CA string `json:"ca,omitempty"` // PEM: authorities that signed the devices' certificates
	// Cert and Key are PEM: our certificate, for devices that ask for one, and its key. Both or none.
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
	// Login of every device, for simulated ones: a login of real devices belongs into the environment
	// or a file that the topology refers to.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// Simulation is where faults are injected into simulated devices, host:port; empty for real ones.
	Simulation string           `json:"simulation,omitempty"`
	Devices    []InventoryEntry `json:"devices"` // names are unique
}

// InventoryEntry is one device of an inventory. Empty fields say nothing.
type InventoryEntry struct {
	Name        string `json:"name"`
	Address     string `json:"address"`               // host:port
	Fingerprint string `json:"fingerprint,omitempty"` // SHA-256 of the certificate in hex
	OS          string `json:"os,omitempty"`
	Release     string `json:"release,omitempty"`
	Platform    string `json:"platform,omitempty"`
}

// ParseInventory reads an inventory. Unknown members are errors, and so are two devices of one name.
func ParseInventory(data []byte) (Inventory, error) {
	var inv Inventory
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&inv); err != nil {
		return Inventory{}, fmt.Errorf("inventory: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return Inventory{}, errors.New("inventory: more than one document")
	}
	if err := inv.check(); err != nil {
		return Inventory{}, err
	}
	return inv, nil
}

// check reports every mistake of an inventory.
func (inv Inventory) check() error {
	var errs []error
	if _, err := inv.Pool(); err != nil {
		errs = append(errs, err)
	}
	if _, err := inv.Certificate(); err != nil {
		errs = append(errs, fmt.Errorf("inventory: cert and key: %w", err))
	}
	if _, _, err := net.SplitHostPort(inv.Simulation); err != nil && inv.Simulation != "" {
		errs = append(errs, fmt.Errorf("inventory: simulation %q: want host:port", inv.Simulation))
	}
	seen := map[string]bool{}
	for i, e := range inv.Devices {
		if err := e.check(); err != nil {
			errs = append(errs, fmt.Errorf("inventory: device %d: %w", i, err))
		}
		if e.Name != "" && seen[e.Name] {
			errs = append(errs, fmt.Errorf("inventory: %s: listed twice", e.Name))
		}
		seen[e.Name] = true
	}
	return errors.Join(errs...)
}

// check reports the first mistake of an entry.
func (e InventoryEntry) check() error {
	if e.Name == "" {
		return errors.New("no name")
	}
	if _, _, err := net.SplitHostPort(e.Address); err != nil {
		return fmt.Errorf("%s: address %q: want host:port", e.Name, e.Address)
	}
	t := Target{Name: e.Name, Fingerprint: e.Fingerprint, CA: x509.NewCertPool()}
	if err := t.checkTrust(); err != nil {
		return fmt.Errorf("%s: %w", e.Name, err)
	}
	return nil
}

// Pool returns the authorities of the inventory, nil where it has none.
func (inv Inventory) Pool() (*x509.CertPool, error) {
	if inv.CA == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(inv.CA)) {
		return nil, errors.New("inventory: ca: no certificate in PEM form")
	}
	return pool, nil
}

// Certificate returns our certificate, nil where the inventory has none.
func (inv Inventory) Certificate() (*tls.Certificate, error) {
	if inv.Cert == "" && inv.Key == "" {
		return nil, nil
	}
	return ClientCertificate([]byte(inv.Cert), []byte(inv.Key))
}

// Find returns the entry of a device.
func (inv Inventory) Find(name string) (InventoryEntry, bool) {
	for _, e := range inv.Devices {
		if e.Name == name {
			return e, true
		}
	}
	return InventoryEntry{}, false
}

// JSON returns the inventory as indented JSON, the same bytes for the same inventory.
func (inv Inventory) JSON() []byte {
	if inv.Devices == nil {
		inv.Devices = []InventoryEntry{}
	}
	data, err := json.MarshalIndent(inv, "", "  ")
	if err != nil {
		panic(err) // strings only: cannot happen
	}
	return append(data, '\n')
}
