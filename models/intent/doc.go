// Package intent is the declared intent in its expanded form: the proto messages that both the
// topology file and the API speak. The Go code is generated from models/api/loom/intent/v1/intent.proto.
package intent

//go:generate sh -c "protoc -I ../api --plugin=protoc-gen-go=$(go tool -n protoc-gen-go) --go_out=../.. --go_opt=module=github.com/loomfabric/loom loom/intent/v1/intent.proto"
