package driver

// Disruption is a place whose change interrupts traffic for a moment: a session or a port starts again.
// What was not there before interrupts nothing by coming, and its Why follows on the path.
//
// A Path of a list means that an entry goes. Any other means that the node differs, comes or goes in an
// entry that stays; entries that come or go with it are named by their list.
type Disruption struct {
	Path string
	Why  string
	Idle string // a value with which nothing is interrupted by another: "disable"
	// Needs are paths of what else has to be there before. {x} in a key stands for the key or leaf x of the entry that
	// the node is in, {.} for the value that the node had; a list without keys means any entry.
	Needs []string
}
