// Package intent is the declared intent in its expanded form: the proto messages that both the
// topology file and the API speak. The Go code is generated from intent.proto.
package intent

//go:generate sh -c "protoc --plugin=protoc-gen-go=$(go tool -n protoc-gen-go) --go_out=. --go_opt=paths=source_relative intent.proto"
