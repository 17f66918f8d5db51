package topology

// The parts of the table that say what light travels on: ducts, lines over them, and the channels of DCIs.

const (
	defaultFibre      = "SSMF"
	defaultConnectors = 0.5 // dB at each end of a duct
	defaultBand       = "191.325..196.150 THz"
	defaultLineBox    = "openconfig-line-system"
)

var (
	ductKeys = &Keys{
		Name: "Duct",
		Doc: "A duct is one way of fibres between two places. A place is a site, or a hut: a place that only ducts name. What the kind of fibre " +
			"says of attenuation, dispersion and so on holds where it is not given.",
		List: []Key{
			{Name: "from", Kind: Text, Form: nameForm, Required: true, Example: "bj", Doc: "Place where it begins."},
			{Name: "to", Kind: Text, Form: nameForm, Required: true, Example: "hut1", Doc: "Place where it ends."},
			{Name: "km", Kind: Text, Form: lengthForm, Required: true, Example: "38", Doc: "Length of the fibre."},
			{Name: "fibre", Kind: Text, Form: kindForm, Default: defaultFibre, Example: "LEAF", Doc: "Kind of fibre: SSMF, LEAF, ULL or TWC."},
			{Name: "loss", Kind: Text, Form: lossPerKmForm, Default: "the kind's", Example: "0.19 dB/km", Doc: "Attenuation."},
			{Name: "dispersion", Kind: Text, Form: dispersionForm, Default: "the kind's", Example: "16.7 ps/nm/km", Doc: "Chromatic dispersion at 1550 nm."},
			{Name: "slope", Kind: Text, Form: slopeForm, Default: "the kind's", Example: "0.06 ps/nm2/km", Doc: "Dispersion slope at 1550 nm; 0 takes the dispersion for the same at every frequency."},
			{Name: "area", Kind: Text, Form: areaForm, Default: "the kind's", Example: "83 um2", Doc: "Effective area at 1550 nm."},
			{Name: "pmd", Kind: Text, Form: pmdForm, Default: "the kind's", Example: "0.04 ps/sqrt(km)", Doc: "Polarization mode dispersion."},
			{Name: "connectors", Kind: Text, Form: decibelForm, Default: "0.5 dB", Example: "0.3 dB", Doc: "Loss of the connectors at each end."},
			{Name: "lumped", Kind: Texts, Form: lumpForm, Example: "[\"12 km: 0.8 dB\"]", Doc: "Splices and panels on the way, by their distance from where it begins."},
			{Name: "shares", Kind: Texts, Form: labelForm, Example: "[bridge-7]",
				Doc: "What it has in common with other ducts, and would be cut together with it: a bridge, a trench."},
		},
	}
	lineKeys = &Keys{
		Name: "Line",
		Doc: "A line is what light travels on between two sites: a fibre in each direction over one duct or several, and what amplifies and joins channels. " +
			"A line with amplifiers has devices of its own at each place where one stands: `LINE-PLACE`.",
		List: []Key{
			{Name: "from", Kind: Text, Form: nameForm, Required: true, Example: "bj", Doc: "Site where it begins."},
			{Name: "to", Kind: Text, Form: nameForm, Required: true, Example: "sh", Doc: "Site where it ends."},
			{Name: "via", Kind: Texts, Form: nameForm, Default: "the shortest route", Example: "[north1, north2]", Doc: "Its ducts in order."},
			{Name: "apart-from", Kind: TextOrSet, Form: nameForm, Example: "north",
				Doc: "Lines with which it shares no duct, and nothing that ducts share. Where both leave `via` out, the two routes are those of least length together."},
			{Name: "amplifiers", Kind: TextOrBlock, Form: kindForm, Of: amplifierKeys, Default: "none", Example: "EDFA",
				Doc: "What amplifies: a kind (EDFA, EDFA high power, EDFA low noise), or more about it."},
			{Name: "mux", Kind: Text, Form: decibelForm, Example: "6 dB",
				Doc: "A passive multiplexer at each end, by its loss. Without it, and without `ends: roadm`, one transceiver is on the fibre."},
			{Name: "ends", Kind: Word, Words: []string{"roadm"}, Example: "roadm",
				Doc: "A ROADM at each end instead of a multiplexer: it can also pass channels on to another line that ends in one."},
			{Name: "grid", Kind: Text, Form: widthForm, Default: "flexible, in steps of 6.25 GHz (ITU-T G.694.1)", Example: "75 GHz", Doc: "Width of every slot, and distance of their centres."},
			{Name: "band", Kind: Text, Form: bandForm, Default: defaultBand, Example: "191.325..196.150 THz", Doc: "Edges of the spectrum that it carries."},
			{Name: "guard", Kind: Text, Form: guardForm, Default: "0 GHz", Example: "25 GHz", Doc: "Kept free at both edges of the band."},
			{Name: "launch", Kind: Text, Form: powerForm, Default: "the best for the full line", Example: "1 dBm", Doc: "Power of a channel into each fibre."},
			{Name: "ageing", Kind: TextOrBlock, Form: noneForm, Of: ageingKeys, Default: "{span: 1 dB, nf: 0.5 dB, system: 0.5 dB}", Example: "{span: 2 dB}",
				Doc: "How much worse it gets until it is replaced, or `none`."},
			{Name: "management", Kind: Text, Form: networkForm, Default: "none", Example: "172.20.9.0/24", Doc: "Management network of its own devices."},
			{Name: "platform", Kind: Text, Form: platformForm, Default: defaultLineBox, Example: defaultLineBox, Doc: "Hardware of its own devices."},
			{Name: "devices", Kind: Named, Of: lineDeviceKeys, Example: "{hut1: {management: 172.20.9.40}}", Doc: "What is given for single devices of it, by place."},
		},
	}
	amplifierKeys = &Keys{
		Name: "Amplifiers",
		Doc:  "The amplifiers of a line. What the kind says holds where it is not given.",
		List: []Key{
			{Name: "kind", Kind: Text, Form: kindForm, Required: true, Example: "EDFA", Doc: "Kind of amplifier."},
			{Name: "nf", Kind: Text, Form: decibelForm, Default: "the kind's", Example: "5.5 dB", Doc: "Noise figure."},
			{Name: "max-output", Kind: Text, Form: powerForm, Default: "the kind's", Example: "23 dBm", Doc: "Highest output of all channels together."},
			{Name: "gain", Kind: Text, Form: gainForm, Default: "the kind's", Example: "5..27 dB", Doc: "Least and largest gain."},
			{Name: "at", Kind: Texts, Form: nameForm, Default: "both ends, and wherever two ducts of the line meet", Example: "[hut1]", Doc: "Places where there are amplifiers, and nowhere else."},
		},
	}
	ageingKeys = &Keys{
		Name: "Ageing",
		Doc:  "How much worse a line gets until the end of its life.",
		List: []Key{
			{Name: "span", Kind: Text, Form: decibelForm, Default: "1 dB", Example: "1 dB", Doc: "Loss that each fibre gets: repairs and connectors."},
			{Name: "nf", Kind: Text, Form: decibelForm, Default: "0.5 dB", Example: "0.5 dB", Doc: "Rise of the noise figure of each amplifier."},
			{Name: "system", Kind: Text, Form: decibelForm, Default: "0.5 dB", Example: "0.5 dB", Doc: "Taken from every margin of noise: ripple, filters, polarization."},
		},
	}
	lineDeviceKeys = &Keys{
		Name: "Line device",
		Doc:  "One device of a line.",
		List: []Key{
			{Name: "management", Kind: Text, Form: hostForm, Default: "derived from its place along the line", Example: "172.20.9.40", Doc: "Management address, IPv4 or IPv6."},
			fingerprintKey, labelsKey,
		},
	}
	dciKeys = &Keys{
		Name: "DCI",
		Doc: "A DCI joins two sites by channels of light, each of which carries one routed link between two gateways, or several; or by cables of gateways. " +
			"With `service: vxlan` both sites then know each other's loopbacks.",
		List: []Key{
			{Name: "number", Kind: Number, Min: 1, Max: maxNumber, Required: true, Example: "1", Doc: "Stable number, unique in the topology."},
			serviceKey, bundleKey, joinsKey, overCoreKey, overASNKey,
			{Name: "wavelengths", Kind: Block, Of: wavelengthKeys, Example: "{count: 4, mode: OpenZR+ 400G, over: long}", Doc: "Its channels, by number."},
			{Name: "channels", Kind: List, Of: channelKeys, Example: "[{number: 1, mode: OpenZR+ 400G, over: long}]", Doc: "Channels spelled out one by one."},
		},
	}
	wavelengthKeys = &Keys{
		Name: "Wavelengths",
		Doc:  "The channels of a DCI. What a number derives never moves when others are added; two users of one port or frequency are an error that names both.",
		List: concat([]Key{
			{Name: "count", Kind: Number, Min: 1, Max: maxNumber, Example: "4", Doc: "How many, numbered from 1. Short for `numbers: 1..COUNT`; give one of the two."},
			{Name: "numbers", Kind: Text, Form: numbersForm, Example: "\"1..4,6\"", Doc: "Which numbers exist. Gateways, ports and frequencies follow from them."},
			modeKey,
			{Name: "over", Kind: TextOrSet, Form: overForm, Required: true, Example: "[long, dark]",
				Doc: "The line; or several, dealt out to the channels in turn by number. Lines with a plus between them are passed one after the other, through ROADMs."},
			marginKey,
			{Name: "frequency", Kind: TextOrSet, Form: frequencyForm, Default: "found", Example: "[193.1 THz, 193.175 THz]",
				Doc: "Centre of the one channel, or of each, by number. A frequency that is found is that of slot (n-1) / (lines in `over`) + 1 of those in `spectrum`, side by side from the bottom."},
			spectrumKey, powerKey, transpondersKey,
			{Name: "override", Kind: Numbered, Of: wavelengthOverrideKeys, Example: "{3: {frequency: 194.5 THz}}", Doc: "What differs on some of them, by number."},
		}),
	}
	wavelengthOverrideKeys = &Keys{
		Name: "Wavelength override",
		Doc:  "What differs on some channels of a DCI.",
		List: []Key{
			optional(modeKey),
			{Name: "over", Kind: Text, Form: overForm, Example: "dark", Doc: "The line, or lines with a plus between them."},
			marginKey, pinKey, slotKey, spectrumKey, powerKey, transpondersKey, portsKey,
		},
	}
	channelKeys = &Keys{
		Name: "Channel",
		Doc:  "One channel, spelled out; `loom fmt --expand` prints channels like this. Most files use `wavelengths` instead.",
		List: []Key{
			{Name: "number", Kind: Number, Min: 1, Max: maxNumber, Required: true, Example: "3", Doc: "Stable number, unique in its DCI."},
			modeKey,
			{Name: "over", Kind: Text, Form: overForm, Required: true, Example: "dark", Doc: "The line, or lines with a plus between them."},
			marginKey, pinKey, slotKey, spectrumKey, powerKey, transpondersKey, portsKey,
		},
	}
)

var (
	modeKey = Key{Name: "mode", Kind: Text, Form: kindForm, Required: true, Example: "OpenZR+ 400G",
		Doc: "Transceiver mode, as `loom optics modes` lists them; or `fastest`: of what both ends can do, the fastest that keeps the margin beside what else its lines " +
			"carry. Another channel can make that a slower one; the name of a mode stays."}
	marginKey = Key{Name: "margin", Kind: Text, Form: decibelForm, Default: "0 dB", Example: "2 dB",
		Doc: "Margin that a channel keeps when its line is full at the end of its life."}
	pinKey  = Key{Name: "frequency", Kind: Text, Form: frequencyForm, Default: "that of its slot", Example: "193.1 THz", Doc: "Centre of the channel."}
	slotKey = Key{Name: "slot", Kind: Number, Min: 1, Max: 768, Default: "its number", Example: "3",
		Doc: "Which of the slots of its width it takes in its share of the spectrum, from the bottom."}
	spectrumKey = Key{Name: "spectrum", Kind: Text, Form: bandForm, Default: "all that its lines carry", Example: "191.3..193.1 THz",
		Doc: "Share of the band in which frequencies are found; two DCIs on one line need one each."}
	powerKey        = Key{Name: "power", Kind: Text, Form: powerForm, Default: "the mode's own", Example: "-10 dBm", Doc: "Power of the transmitters."}
	transpondersKey = Key{Name: "transponders", Kind: Flag, Default: "false", Example: "true",
		Doc: "Whether transponders make the light, cabled to grey ports of the gateways; otherwise the gateways themselves do."}
	portsKey = Key{Name: "ports", Kind: Texts, Form: endForm, Default: "derived from the number", Example: "[\"bj/gateway1:ethernet-1/7\", \"sh/gateway1:ethernet-1/9\"]",
		Doc: "Port of a gateway at each site; the first one where a channel carries several links."}
)
