package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/auth"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// ErrNoEntry: there is no binding or certificate of the id.
var ErrNoEntry = errors.New("there is no such thing")

// Access is who may do what, and which certificates there are. cmd/loom provides it.
type Access interface {
	Admission

	Bindings(ctx context.Context) ([]auth.Binding, error) // by id
	// PutBinding keeps a binding; without an id it makes one. Errors: controller.ErrInvalid.
	PutBinding(ctx context.Context, b auth.Binding) (auth.Binding, error)
	DeleteBinding(ctx context.Context, id, by string) error // Errors: ErrNoEntry
	// Break makes its caller admin for a while, within scopes.
	Break(ctx context.Context, who auth.Identity, scope auth.Scope, why string, span time.Duration) (auth.Binding, error)
	// Mend ends what Break has made, of an id, or all of a subject.
	Mend(ctx context.Context, of auth.Subject, id, by string) ([]auth.Binding, error)

	// Issue signs the key of a request in PKCS #10.
	Issue(ctx context.Context, request []byte, as auth.Issued, span time.Duration) (made auth.Issued, pem, authority []byte, err error)
	// Renew signs another key for the holder of a certificate.
	Renew(ctx context.Context, who auth.Identity, request []byte) (made auth.Issued, pem, authority []byte, err error)
	Revoke(ctx context.Context, serial, name, by, why string) ([]auth.Issued, error)
	Certificates(ctx context.Context) ([]auth.Issued, error) // by name and time
	Authority() []byte                                       // PEM
	// Rotate takes a step: 1 prepares, 2 switches, 3 finishes. It returns Authority.
	Rotate(ctx context.Context, step int, by string) ([]byte, error)
}

// accessService implements loom.v1.AccessService.
type accessService struct {
	api.UnimplementedAccessServiceServer
	*Server
}

func (s *accessService) WhoAmI(ctx context.Context, _ *api.WhoAmIRequest) (*api.WhoAmIResponse, error) {
	r := rights(ctx)
	out := &api.WhoAmIResponse{
		Name: r.Who.Name, Credential: string(r.Who.Kind), Subject: string(auth.SubjectOf(r.Who)), Serial: r.Who.Serial, Until: stamp(r.Who.Until),
	}
	for _, b := range r.Bindings() {
		out.Bindings = append(out.Bindings, bound(b))
	}
	return out, nil
}

func (s *accessService) ListRoles(context.Context, *api.ListRolesRequest) (*api.ListRolesResponse, error) {
	out := &api.ListRolesResponse{}
	for _, r := range auth.Roles {
		m := &api.Role{Name: r.Name, Description: r.For}
		for _, p := range r.Permissions {
			m.Permissions = append(m.Permissions, string(p))
		}
		out.Roles = append(out.Roles, m)
	}
	return out, nil
}

func (s *accessService) ListBindings(ctx context.Context, r *api.ListBindingsRequest) (*api.ListBindingsResponse, error) {
	all, err := s.Access.Bindings(ctx)
	if err != nil {
		return nil, failure(err)
	}
	if r.GetSubject() != "" {
		all = slices.DeleteFunc(all, func(b auth.Binding) bool { return string(b.Subject) != r.GetSubject() })
	}
	page, next, err := paged(all, func(b auth.Binding) string { return b.ID }, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	out := &api.ListBindingsResponse{NextPageToken: next}
	for _, b := range page {
		out.Bindings = append(out.Bindings, bound(b))
	}
	return out, nil
}

func (s *accessService) PutBinding(ctx context.Context, r *api.PutBindingRequest) (*api.PutBindingResponse, error) {
	m := r.GetBinding()
	subject, err := auth.ParseSubject(m.GetSubject())
	if err != nil {
		return nil, invalid("subject: " + err.Error())
	}
	b, err := s.Access.PutBinding(ctx, auth.Binding{
		ID: m.GetId(), Subject: subject, Role: m.GetRole(), Until: instant(m.GetUntil()), By: s.caller(ctx), Why: m.GetReason(),
		Scope: auth.Scope{Topologies: m.GetScope().GetTopologies(), Sites: m.GetScope().GetSites(), Tenants: m.GetScope().GetTenants()},
	})
	if err != nil {
		return nil, failure(err)
	}
	return &api.PutBindingResponse{Binding: bound(b)}, nil
}

func (s *accessService) DeleteBinding(ctx context.Context, r *api.DeleteBindingRequest) (*api.DeleteBindingResponse, error) {
	if err := s.Access.DeleteBinding(ctx, r.GetId(), s.caller(ctx)); err != nil {
		return nil, failure(err)
	}
	return &api.DeleteBindingResponse{}, nil
}

func (s *accessService) BreakGlass(ctx context.Context, r *api.BreakGlassRequest) (*api.BreakGlassResponse, error) {
	have := rights(ctx)
	by, ok := have.MaySomewhere(auth.BreakGlass, "")
	if !ok {
		return nil, failure(&auth.DeniedError{Rights: have, Permission: auth.BreakGlass})
	}
	b, err := s.Access.Break(ctx, have.Who, by.Scope, r.GetReason(), r.GetSpan().AsDuration())
	if err != nil {
		return nil, failure(err)
	}
	return &api.BreakGlassResponse{Binding: bound(b)}, nil
}

// EndBreakGlass ends what its caller has begun; who says who may do what ends it for anybody.
func (s *accessService) EndBreakGlass(ctx context.Context, r *api.EndBreakGlassRequest) (*api.EndBreakGlassResponse, error) {
	have := rights(ctx)
	of := auth.SubjectOf(have.Who)
	if _, ok := have.May(auth.WriteAccess, auth.Object{}); ok && r.GetId() != "" {
		of = ""
	}
	all, err := s.Access.Mend(ctx, of, r.GetId(), have.Who.Name)
	if err != nil {
		return nil, failure(err)
	}
	out := &api.EndBreakGlassResponse{}
	for _, b := range all {
		out.Bindings = append(out.Bindings, bound(b))
	}
	return out, nil
}

func (s *accessService) IssueCertificate(ctx context.Context, r *api.IssueCertificateRequest) (*api.IssueCertificateResponse, error) {
	as := auth.Issued{Name: r.GetName(), Roles: r.GetRoles(), By: s.caller(ctx), Renewable: r.GetRenewable()}
	made, pem, authority, err := s.Access.Issue(ctx, r.GetRequest(), as, r.GetSpan().AsDuration())
	if err != nil {
		return nil, failure(err)
	}
	return &api.IssueCertificateResponse{Certificate: issued(made), Pem: pem, Authority: authority}, nil
}

func (s *accessService) RenewCertificate(ctx context.Context, r *api.RenewCertificateRequest) (*api.RenewCertificateResponse, error) {
	who, _ := Caller(ctx)
	made, pem, authority, err := s.Access.Renew(ctx, who, r.GetRequest())
	if err != nil {
		return nil, failure(err)
	}
	return &api.RenewCertificateResponse{Certificate: issued(made), Pem: pem, Authority: authority}, nil
}

func (s *accessService) RevokeCertificate(ctx context.Context, r *api.RevokeCertificateRequest) (*api.RevokeCertificateResponse, error) {
	if (r.GetSerial() == "") == (r.GetName() == "") {
		return nil, invalid("serial, name: one of them says which certificates are meant")
	}
	all, err := s.Access.Revoke(ctx, r.GetSerial(), r.GetName(), s.caller(ctx), r.GetReason())
	if err != nil {
		return nil, failure(err)
	}
	out := &api.RevokeCertificateResponse{}
	for _, c := range all {
		out.Certificates = append(out.Certificates, issued(c))
	}
	return out, nil
}

func (s *accessService) ListCertificates(ctx context.Context, r *api.ListCertificatesRequest) (*api.ListCertificatesResponse, error) {
	all, err := s.Access.Certificates(ctx)
	if err != nil {
		return nil, failure(err)
	}
	page, next, err := paged(all, auth.Issued.Key, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	out := &api.ListCertificatesResponse{NextPageToken: next}
	for _, c := range page {
		out.Certificates = append(out.Certificates, issued(c))
	}
	return out, nil
}

func (s *accessService) GetAuthority(context.Context, *api.GetAuthorityRequest) (*api.GetAuthorityResponse, error) {
	return &api.GetAuthorityResponse{Pem: s.Access.Authority()}, nil
}

func (s *accessService) RotateAuthority(ctx context.Context, r *api.RotateAuthorityRequest) (*api.RotateAuthorityResponse, error) {
	pem, err := s.Access.Rotate(ctx, int(r.GetStep()), s.caller(ctx))
	if err != nil {
		return nil, failure(err)
	}
	return &api.RotateAuthorityResponse{Pem: pem}, nil
}

func bound(b auth.Binding) *api.Binding {
	out := &api.Binding{Id: b.ID, Subject: string(b.Subject), Role: b.Role, Until: stamp(b.Until), Reason: b.Why, At: stamp(b.At), By: b.By, BreakGlass: b.Glass}
	if len(b.Scope.Topologies)+len(b.Scope.Sites)+len(b.Scope.Tenants) > 0 {
		out.Scope = &api.BindingScope{Topologies: b.Scope.Topologies, Sites: b.Scope.Sites, Tenants: b.Scope.Tenants}
	}
	return out
}

func issued(c auth.Issued) *api.Certificate {
	return &api.Certificate{
		Serial: c.Serial, Name: c.Name, Roles: c.Roles, At: timestamppb.New(c.At), Until: timestamppb.New(c.Until), By: c.By, Renewable: c.Renewable,
		Revoked: stamp(c.Revoked), RevokedBy: c.RevokedBy, Reason: c.Why,
	}
}
