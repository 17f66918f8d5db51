package sim

import (
	_ "golang.org/x/time/rate"
	_ "google.golang.org/grpc/reflection"
	_ "google.golang.org/grpc/reflection/grpc_reflection_v1"
)
