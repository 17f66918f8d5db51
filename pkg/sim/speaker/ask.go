package speaker

import (
	"context"
	"net/netip"

	api "github.com/osrg/gobgp/v3/api"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// What a speaker is asked. It answers in between two messages, and waits for nothing.

func (s *speaker) addPeer(p *api.Peer) error {
	defer s.deeds.Add(1)
	return s.bgp.AddPeer(context.Background(), &api.AddPeerRequest{Peer: p})
}

// updatePeer starts a session anew if its configuration differs, with a Cease NOTIFICATION that says why.
func (s *speaker) updatePeer(p *api.Peer) error {
	defer s.deeds.Add(1)
	_, err := s.bgp.UpdatePeer(context.Background(), &api.UpdatePeerRequest{Peer: p})
	return err
}

func (s *speaker) deletePeer(a netip.Addr) error {
	defer s.deeds.Add(1)
	return s.bgp.DeletePeer(context.Background(), &api.DeletePeerRequest{Address: a.String()})
}

// softReset puts all that the neighbors have sent through the import policy again (RFC 4271 has no name for it).
func (s *speaker) softReset() error {
	defer s.deeds.Add(1)
	return s.bgp.ResetPeer(context.Background(), &api.ResetPeerRequest{Soft: true, Direction: api.ResetPeerRequest_IN})
}

func (s *speaker) addPath(r *network.Route) error {
	defer s.deeds.Add(1)
	p, err := encode(r, markOf(r))
	if err != nil {
		return err
	}
	_, err = s.bgp.AddPath(context.Background(), &api.AddPathRequest{TableType: api.TableType_GLOBAL, Path: p})
	return err
}

func (s *speaker) deletePath(r *network.Route) error {
	defer s.deeds.Add(1)
	p, err := encode(r, markOf(r))
	if err != nil {
		return err
	}
	return s.bgp.DeletePath(context.Background(), &api.DeletePathRequest{TableType: api.TableType_GLOBAL, Path: p})
}

// peers calls f with every neighbor.
func (s *speaker) peers(f func(*api.Peer)) error {
	return s.bgp.ListPeer(context.Background(), &api.ListPeerRequest{}, f)
}

// table calls f with every route of one family that policies have let in, and all paths that lead to it.
func (s *speaker) table(f network.Family, each func(*api.Destination)) error {
	return s.bgp.ListPath(context.Background(), &api.ListPathRequest{
		TableType: api.TableType_GLOBAL, Family: families[f], EnableOnlyBinary: true,
	}, each)
}

// received calls f with every route that a neighbor has sent, before policies.
func (s *speaker) received(neighbor netip.Addr, f network.Family, each func(*api.Destination)) error {
	return s.bgp.ListPath(context.Background(), &api.ListPathRequest{
		TableType: api.TableType_ADJ_IN, Name: neighbor.String(), Family: families[f], EnableOnlyBinary: true,
	}, each)
}
