package sim

// Risk is something that can go wrong with a network and its controller, and what stands for it here.
type Risk struct {
	ID, What  string
	Kinds     []string // of faults
	Elsewhere string   // whose fault it is where it is no device's; ""
}

// Risks returns the catalogue of what a controller has to survive: devices (D), light (L), telemetry (T), the controller itself
// (C), security (S), the files that people write (F), and all of it at once (R).
func Risks() []Risk {
	const controller, store, language, interfaces = "controller", "store", "topology language", "API of the controller"
	return []Risk{
		{"D1", "a device is unreachable before, during or after a Set", []string{"device-down", "unreachable", "blackhole", "half-open", "disconnect", "cut", "flap", "swap", "port-down"}, ""},
		{"D2", "it is slow", []string{"slow-set", "slow-answer", "slow-network"}, ""},
		{"D3", "it refuses Sets, or answers them with nonsense", []string{"refuse", "malformed-result"}, ""},
		{"D4", "it does half of a Set, or less than it says", []string{"half-applied", "leaf-ignored", "nothing-applied", "extension-ignored"}, ""},
		{"D5", "it normalises values, or takes them back", []string{"normalise", "revert"}, ""},
		{"D6", "it reboots at any step, with an old, a new or no configuration", []string{"reboot", "device-down"}, ""},
		{"D7", "it is another chassis, or says that it is another device", []string{"other-chassis", "certificate"}, ""},
		{"D8", "somebody else changes it, or has a commit open", []string{"foreign-change", "foreign-commit", "refuse"}, ""},
		{"D9", "the time of a commit is over at the wrong moment", []string{"expire-commit"}, ""},
		{"L1", "fibres are cut, or get worse slowly", []string{"fibre-cut", "fibre-loss"}, ""},
		{"L2", "what amplifies fails or gets noisy", []string{"amplifier-failure", "amplifier-noise", "device-down"}, ""},
		{"L3", "transceivers are dirty, dead or off their frequency", []string{"dirty-connector", "frequency-drift", "port-down"}, ""},
		{"T1", "streams stand still", []string{"stall", "half-open", "blackhole"}, ""},
		{"T2", "streams break the rules of gNMI", []string{"sync", "unasked", "timestamps", "late", "duplicate", "atomic", "delete-root", "end-stream"}, ""},
		{"T3", "more updates than anybody can take", []string{"firehose"}, ""},
		{"T4", "messages that are broken or hostile", []string{"garbage", "timestamps"}, ""},
		{"C1", "the controller is killed at any step", nil, controller},
		{"C2", "it is killed again while it recovers", nil, controller},
		{"C3", "it stands still for minutes, and goes on", nil, controller},
		{"C4", "there are two of it", nil, controller},
		{"C5", "the store is lost, slow, or an old one", nil, store},
		{"C6", "the disk is full, fails or lies", nil, store},
		{"C7", "clocks are wrong", []string{"timestamps", "expire-commit"}, controller},
		{"C8", "memory or file descriptors run out", []string{"firehose", "garbage"}, controller},
		{"C9", "it is upgraded while a transaction is open", nil, controller},
		{"S1", "certificates expire, are revoked, rotated or others; TLS is old or missing", []string{"certificate", "rotation", "transport"}, ""},
		{"S2", "somebody does what is not allowed", nil, interfaces},
		{"S3", "the audit log is tampered with", nil, store},
		{"S4", "secrets leak", nil, controller},
		{"S5", "a hostile client of the controller", nil, interfaces},
		{"F1", "bad topology files", nil, language},
		{"F2", "good topology files of every shape", nil, language},
		{"F3", "the same topology, written otherwise", nil, language},
		{"F4", "changes that are too risky", nil, controller},
		{"R1", "configuration drifts", []string{"foreign-change", "revert"}, ""},
		{"R2", "notifications are lost", []string{"drop", "stall"}, ""},
		{"R3", "everything at random, for long", nil, "scenarios of all kinds"},
	}
}
