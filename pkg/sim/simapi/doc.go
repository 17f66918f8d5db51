// Package simapi is how a simulation is controlled from another process: the service loom.sim.v1.Simulation,
// and a client of it. Package sim serves it. The Go code is generated from sim.proto.
package simapi

//go:generate sh -c "protoc --plugin=protoc-gen-go=$(go tool -n protoc-gen-go) --plugin=protoc-gen-go-grpc=$(go tool -n protoc-gen-go-grpc) --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative sim.proto"
