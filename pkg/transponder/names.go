package transponder

import "strings"

// Names of components. A port is called as in the design, so that cables and LLDP agree with it.
const (
	chassisComponent = "chassis"
	osComponent      = "os"
	linePort         = "line" // of a line system: the fibres of its line

	transceiverPrefix = "transceiver-" // before the port that it is plugged into
	opticalPrefix     = "och-"         // before the line port that it leaves by
	attenuatorSuffix  = "-voa"         // behind the amplifier that it follows

	monitorOut = "line-out" // channel monitor of what goes into the line, behind the first amplifier
	monitorIn  = "line-in"  // of what comes from it, behind the last one

	addDropPrefix = "add-drop-" // of a line system: ports for cords; others lead to other lines
	added         = " added"    // behind the channel in the name of a media channel that leads it into the line
)

func transceiver(port string) string     { return transceiverPrefix + port }
func opticalChannel(port string) string  { return opticalPrefix + port }
func attenuator(amplifier string) string { return amplifier + attenuatorSuffix }

// Logical channels are numbered by their ports, so that none changes its number when others come. Media channels
// have one direction each (/wavelength-router/media-channels/channel/source and dest): what is added has the number of
// the design, what is dropped that and so much more.
const (
	firstClient = 10000
	firstLine   = 20000
	firstDrop   = 10000
)

func clientIndex(port string) uint64 { return firstClient + ordinal(port) }
func lineIndex(port string) uint64   { return firstLine + ordinal(port) }

// portOf is the port of a logical channel: the reverse of both.
func portOf(index uint64) string {
	switch {
	case index > firstLine && index < firstLine+firstClient:
		return "line-" + decimal(index-firstLine)
	case index > firstClient && index < firstLine:
		return "client-" + decimal(index-firstClient)
	}
	return ""
}

// ordinal is N of "line-N"; 0 of what has no number.
func ordinal(port string) uint64 {
	n := uint64(0)
	for _, digit := range port[strings.LastIndexByte(port, '-')+1:] {
		if digit < '0' || digit > '9' || n > firstClient {
			return 0
		}
		n = 10*n + uint64(digit-'0')
	}
	return n
}
