#!/bin/sh
# Go, the REST gateway and its OpenAPI document from the protos here. Run by go generate.
set -e
module=github.com/loomfabric/loom
protoc -I . \
  --plugin=protoc-gen-go="$(go tool -n protoc-gen-go)" --go_out=../.. --go_opt=module=$module \
  --plugin=protoc-gen-go-grpc="$(go tool -n protoc-gen-go-grpc)" --go-grpc_out=../.. --go-grpc_opt=module=$module \
  --plugin=protoc-gen-grpc-gateway="$(go tool -n protoc-gen-grpc-gateway)" --grpc-gateway_out=../.. --grpc-gateway_opt=module=$module,grpc_api_configuration=rest.yaml \
  --plugin=protoc-gen-openapiv2="$(go tool -n protoc-gen-openapiv2)" --openapiv2_out=. --openapiv2_opt=grpc_api_configuration=rest.yaml,openapi_configuration=openapi.yaml,allow_merge=true,merge_file_name=loom,disable_default_errors=false \
  loom/v1/*.proto
