package api

import (
	"context"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// Server is loom.v1 over a controller.
type Server struct {
	Intents    *controller.Intents
	Operations controller.Operations
	Access     Access
	Audit      AuditLog
}

// Register adds all services to a gRPC server.
func (s *Server) Register(to grpc.ServiceRegistrar) {
	api.RegisterIntentServiceServer(to, &intentService{Server: s})
	api.RegisterPlanServiceServer(to, &planService{Server: s})
	api.RegisterTransactionServiceServer(to, &transactionService{Server: s})
	api.RegisterDeviceServiceServer(to, &deviceService{Server: s})
	api.RegisterQueryServiceServer(to, &queryService{Server: s})
	api.RegisterAuditServiceServer(to, &auditService{Server: s})
	api.RegisterEventServiceServer(to, &eventService{Server: s})
	api.RegisterSourceServiceServer(to, &sourceService{Server: s})
	api.RegisterAccessServiceServer(to, &accessService{Server: s})
}

// caller is the name of who calls. Whoever is not known was not let in.
func (s *Server) caller(ctx context.Context) string {
	who, _ := Caller(ctx)
	return who.Name
}

// Caller is who calls. Whoever is not known is nobody.
func Caller(ctx context.Context) (auth.Identity, bool) {
	if c, ok := ctx.Value(callerKey{}).(*calling); ok {
		return c.who, true
	}
	return auth.Identity{}, false
}

// certified is who a connection belongs to, by the certificate that it was made with.
func certified(ctx context.Context) (auth.Identity, bool) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return auth.Identity{}, false
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return auth.Identity{}, false
	}
	who, err := auth.IdentityOf(info.State.VerifiedChains[0][0])
	return who, err == nil
}
