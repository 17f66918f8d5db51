package transponder

import (
	"fmt"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Where light is.
const (
	opticalPath    = "/components/component/optical-channel/config"
	ownTransceiver = "/components/component[name={name}]/transceiver"
	amplifierPath  = "/optical-amplifier/amplifiers/amplifier"
	attenuatorPath = "/optical-attenuator/attenuators/attenuator"
	mediaPath      = "/wavelength-router/media-channels/channel"
	logicalPath    = "/terminal-device/logical-channels/channel"
)

// guards are what transponders and line systems carry. They hold no policies and announce nothing; how they are managed
// lies outside of what Loom owns.
var guards = driver.Guards{
	Light: []driver.Object{
		{Name: "laser of", Path: "/components/component[name=" + transceiverPrefix + "line-*]", Each: "name", Needs: []driver.Need{
			{Path: ownTransceiver + "/physical-channels/channel[index=0]/config/tx-laser", Is: "true"},
			{Path: ownTransceiver + "/config/enabled", Not: "false"},
		}},
		{Name: "logical channel", Path: logicalPath, Each: "index", Needs: []driver.Need{
			{Path: logicalPath + "[index={index}]/config/admin-state", Is: enabled},
		}},
		{Name: "amplifier", Path: amplifierPath, Each: "name", Needs: []driver.Need{
			{Path: amplifierPath + "[name={name}]/config/enabled", Is: "true"},
		}},
		{Name: "attenuator", Path: attenuatorPath, Each: "name", Needs: []driver.Need{
			{Path: attenuatorPath + "[name={name}]/config/enabled", Is: "true"},
		}},
		{Name: "media channel", Path: mediaPath, Each: "index", Needs: []driver.Need{
			{Path: mediaPath + "[index={index}]/config/admin-status", Is: enabled},
		}},
	},
	Tuned: []driver.Meaning{
		{Path: opticalPath + "/frequency", Why: "the channel is dark until its laser is tuned and the far end has followed"},
		{Path: opticalPath + "/operational-mode", Why: "the channel is dark until both ends have the mode"},
		{Path: opticalPath + "/line-port", Why: "the channel leaves by another port"},
		{Path: logicalPath + "/config/rate-class", Why: "traffic of the logical channel stops while it is made anew"},
		{Path: logicalPath + "/config/trib-protocol", Why: "traffic of the logical channel stops while it is made anew"},
		{Path: logicalPath + "/logical-channel-assignments/assignment", Why: "traffic of the logical channel goes elsewhere, or nowhere"},
		{Path: amplifierPath + "/config/amp-mode", Why: "every channel that the amplifier passes changes its power"},
		{Path: mediaPath + "/config/lower-frequency", Why: "light outside of the new bounds is cut off"},
		{Path: mediaPath + "/config/upper-frequency", Why: "light outside of the new bounds is cut off"},
		{Path: mediaPath + "/source/config/port-name", Why: "light of the channel comes from another port"},
		{Path: mediaPath + "/dest/config/port-name", Why: "light of the channel goes to another port"},
	},
	Gains:   []driver.Gain{{List: amplifierPath, Gain: "config/target-gain", Behind: attenuatorPath + "[name={name}" + attenuatorSuffix + "]/config/attenuation"}},
	Plugged: []driver.Plugged{{List: mediaPath, Channel: "config/name", Suffix: added, Port: "source/config/port-name", Prefix: addDropPrefix}},
}

// Drain never changes anything: packets choose their way at routers.
func Drain(_ *config.Tree, d *fabric.Device) (*config.Tree, error) {
	return nil, fmt.Errorf("%s: %w; drain the routers whose packets it carries", d.Name, driver.ErrNothingToMove)
}

// Undrain never changes anything either.
func Undrain(t, _ *config.Tree, _ *fabric.Device) (*config.Tree, error) { return t, nil }
