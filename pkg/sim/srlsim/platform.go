package srlsim

import (
	"fmt"
	"strconv"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
)

// What is in every chassis.
const (
	fanTrays      = 3
	powerSupplies = 2
)

// platform writes the parts of the chassis. What type it is of and the software of it are known to who runs the
// device.
func (w *writer) platform() {
	h := w.o.Hardware
	booted := stamp(w.o.Booted)
	w.Str(srl.PlatformChassisSerialNumber, h.Serial)
	w.Str(srl.PlatformChassisHwMacAddress, h.MAC.String())
	w.Str(srl.PlatformChassisPartNumber, "SIM-"+h.Platform)
	w.Str(srl.PlatformChassisLastBooted, booted)
	kind := strings.Replace(h.Platform, "-", " ", 1) // "7220 IXR-D2L", as the router writes it
	w.In(srl.PlatformControl, "A", func() {
		w.Str(srl.PlatformControlType, "cpm-"+kind)
		w.Str(srl.PlatformControlOperState, "up")
		w.Str(srl.PlatformControlSerialNumber, w.serial("control"))
		w.Str(srl.PlatformControlLastBooted, booted)
		w.Str(srl.PlatformControlLastChange, booted)
	})
	w.In(srl.PlatformLinecard, "1", func() {
		w.Str(srl.PlatformLinecardType, "imm-"+kind)
		w.Str(srl.PlatformLinecardOperState, "up")
		w.Str(srl.PlatformLinecardSerialNumber, w.serial("linecard"))
	})
	for n := range fanTrays {
		id := strconv.Itoa(n + 1)
		w.In(srl.PlatformFanTray, id, func() {
			w.Str(srl.PlatformFanTrayOperState, "up")
			w.Str(srl.PlatformFanTraySerialNumber, w.serial("fan-tray"+id))
		})
	}
	for n := range powerSupplies {
		id := strconv.Itoa(n + 1)
		w.In(srl.PlatformPowerSupply, id, func() {
			w.Str(srl.PlatformPowerSupplyOperState, "up")
			w.Str(srl.PlatformPowerSupplySerialNumber, w.serial("power-supply"+id))
		})
	}
}

// serial is the serial number of a part.
func (w *writer) serial(part string) string {
	return fmt.Sprintf("NS%08X", pick(w.o.Hardware.Serial+part))
}
